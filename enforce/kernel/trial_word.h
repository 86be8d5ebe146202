/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Begins and ends trials of policies, by the word control.trial (bpf/shared/control.h). All functions but trial_now() and trial_slot()
 * need the change lock, and `kernel` open for writing.
 */
#ifndef SOCKACCEPT_TRIAL_WORD_H
#define SOCKACCEPT_TRIAL_WORD_H

#include <stdbool.h>
#include <stdint.h>

#include "enforce/kernel/kernel.h"

enum trial {
	TRIAL_IS_NONE,    /* the policy in SLOT_LOADED is in force */
	TRIAL_IS_PENDING, /* the same, until the time is up; confirming it makes it last */
	TRIAL_IS_OVER,    /* the time is up: the policy in SLOT_BEFORE is in force */
};

#define TRIAL_SECONDS_MAX 86400

/* Returns the state of the trial now, by the clock that the kernel uses. Sets *left_ns to how long it is still pending, or 0: ns. */
enum trial trial_now(const struct kernel *kernel, uint64_t *left_ns);

/* Returns the slot of the policy that is in force now. */
uint32_t trial_slot(const struct kernel *kernel);

/* Begins a trial of `seconds`, or prolongs one. Returns false, and changes nothing, if a trial has ended meanwhile. */
bool trial_begin(const struct kernel *kernel, uint64_t seconds);

/* Confirms a pending trial: SLOT_LOADED stays in force. Returns false if there is none, or the time is up. */
bool trial_confirm(const struct kernel *kernel);

/* Ends a trial in any state: SLOT_LOADED is in force then. */
void trial_end(const struct kernel *kernel);

#endif
