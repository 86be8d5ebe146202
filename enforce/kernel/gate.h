/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attaches and detaches the gate's programs (bpf/gate.bpf.h) as the policy wants. They aren't always attached, as every SYN of the
 * machine passes through one.
 */
#ifndef SOCKACCEPT_GATE_H
#define SOCKACCEPT_GATE_H

#include <stdbool.h>

#include "enforce/kernel/kernel.h"

/*
 * Attaches the programs, and pins their links beside the others, if `wanted`; otherwise detaches them. Leaves alone what is so already.
 * Needs the change lock. Returns 0 or -errno.
 */
int gate_attach(const struct kernel *kernel, bool wanted);

/* Returns true if all of them are attached. */
bool gate_is_attached(void);

#endif
