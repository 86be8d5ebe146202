/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a hook of the firewall refuses. The guard has its own, which counts.
 */
#ifndef SOCKACCEPT_REFUSE_BPF_H
#define SOCKACCEPT_REFUSE_BPF_H

#include "shared/compiler.h"

/* Returns -error. The self-test of `doctor` proves by it that the program is called, and that the caller gets what it returns. */
static __always_inline int refuse(int error)
{
	int ret = -error;

	FORGET(ret); /* a constant in a branch, not the result of arithmetic that a verifier can't follow */
	return ret;
}

#endif
