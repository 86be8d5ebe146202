/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Carries over what running processes are, when one kernel side takes over from another: that was settled when they were executed,
 * which the new kernel side hasn't seen.
 */
#ifndef SOCKACCEPT_CARRY_PROCESSES_H
#define SOCKACCEPT_CARRY_PROCESSES_H

#include "enforce/kernel/kernel.h"
#include "policy/policy.h"

/*
 * Makes a record in `to`, which isn't attached yet, for each process that is another binary in `from` than its file's name tells.
 * Binary i of `policy` has the number numbers[i] in `from`, and its own number in `to`. Leaves out processes that this process may not
 * look at, and those that `from` tells nothing about.
 */
void carry_processes(const struct kernel *from, const struct kernel *to, const struct policy *policy, const uint32_t *numbers);

#endif
