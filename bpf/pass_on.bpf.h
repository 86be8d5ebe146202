/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a program passes on what an earlier LSM returned. Each LSM program with a `ret` does so before it decides anything.
 */
#ifndef SOCKACCEPT_PASS_ON_BPF_H
#define SOCKACCEPT_PASS_ON_BPF_H

#include "kernel_types.h"
#include "shared/compiler.h"

/*
 * Returns `ret` unchanged, in a form in which verifiers from 6.12 on see that it is 0 or an error number. Each FORGET() keeps the compiler
 * from testing a copy, from which they would learn nothing.
 */
static __always_inline int pass_on(long ret)
{
	FORGET(ret);
	if (ret < -4095)
		return -EPERM;
	FORGET(ret);
	if (ret > 0)
		return -EPERM;
	FORGET(ret);
	return ret;
}

#endif
