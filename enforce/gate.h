/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate's program (bpf/gate.bpf.h), which is attached only while the policy wants it: each SYN of the machine passes it.
 */
#ifndef SOCKACCEPT_GATE_H
#define SOCKACCEPT_GATE_H

#include <stdbool.h>

#include "enforce/kernel.h"

/*
 * Attaches the program, and pins the link beside the others, if `wanted`; detaches it if not. What is so already stays. Needs the lock.
 * Returns 0 or -errno.
 */
int gate_attach(const struct kernel *kernel, bool wanted);

/* True if it is attached. */
bool gate_is_attached(void);

#endif
