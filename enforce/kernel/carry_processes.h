/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What processes are, when one kernel side takes over from another: that was settled when they were executed, which the new one
 * hasn't seen.
 */
#ifndef SOCKACCEPT_CARRY_PROCESSES_H
#define SOCKACCEPT_CARRY_PROCESSES_H

#include "enforce/kernel/kernel.h"
#include "policy/policy.h"

/*
 * Each process that is something else in `from` than the name of its file tells gets a record of that in `to`, which isn't attached
 * yet. Binary i of `policy` has numbers[i] in `from`, and its own number in `to`. Of processes that this one may not look at, or that
 * `from` tells nothing about, none gets one.
 */
void carry_processes(const struct kernel *from, const struct kernel *to, const struct policy *policy, const uint32_t *numbers);

#endif
