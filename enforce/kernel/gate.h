/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate's programs (bpf/gate.bpf.h), which are attached only while the policy wants them: each SYN of the machine passes one.
 */
#ifndef SOCKACCEPT_GATE_H
#define SOCKACCEPT_GATE_H

#include <stdbool.h>

#include "enforce/kernel/kernel.h"

/*
 * Attaches the programs, and pins their links beside the others, if `wanted`; detaches them if not. What is so already stays. Needs the
 * lock. Returns 0 or -errno.
 */
int gate_attach(const struct kernel *kernel, bool wanted);

/* True if all of them are attached. */
bool gate_is_attached(void);

#endif
