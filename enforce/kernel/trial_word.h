/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policies on trial: what user space does about the word that stands in bpf/shared/sockaccept.h. All but trial_now() and
 * trial_slot() need the lock, and memory that is mapped for writing.
 */
#ifndef SOCKACCEPT_TRIAL_WORD_H
#define SOCKACCEPT_TRIAL_WORD_H

#include <stdbool.h>
#include <stdint.h>

#include "enforce/kernel/kernel.h"

enum trial {
	TRIAL_IS_NONE,    /* the policy in SLOT_LOADED is in force */
	TRIAL_IS_PENDING, /* so it is, until it is confirmed or the time is up */
	TRIAL_IS_OVER,    /* the time is up: that in SLOT_BEFORE is in force */
};

#define TRIAL_SECONDS_MAX 86400

/* How it stands now, by the same clock as the kernel's. *left_ns, if pending: how long it will be. */
enum trial trial_now(const struct kernel *kernel, uint64_t *left_ns);

/* The slot of the policy that is in force now. */
uint32_t trial_slot(const struct kernel *kernel);

/* Begins a trial, or prolongs one. False: it is over meanwhile, and nothing was changed. */
bool trial_begin(const struct kernel *kernel, uint64_t seconds);

/* Ends a pending trial in favour of SLOT_LOADED. False: there is none, or the time is up. */
bool trial_confirm(const struct kernel *kernel);

/* Ends a trial of any state in favour of SLOT_LOADED. */
void trial_end(const struct kernel *kernel);

#endif
