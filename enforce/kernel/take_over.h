/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes one kernel side take over from another: for upgrades of sockaccept-ctl that change the maps.
 */
#ifndef SOCKACCEPT_TAKE_OVER_H
#define SOCKACCEPT_TAKE_OVER_H

#include "enforce/kernel/kernel.h"
#include "policy/policy.h"

/* The kernel side that is taken over from. */
struct predecessor {
	struct kernel kernel; /* open, if they are there: MAP_STATE, mapped for reading, and what carry_processes() asks */
	uint32_t *numbers;    /* the numbers that the policy's binaries have there */
};

/*
 * Loads this version's kernel side with `policy`, attaches it, and only then detaches the old one: each accept is judged by one of them,
 * or for a moment by both. Processes stay the binary that they are in `old`. Counters and events start anew; the generation goes on from
 * policy->generation. Calls `attached` when the new one decides, before the old one goes. Needs the change lock. Prints what is wrong;
 * the old one is then in force, unchanged.
 */
enum status take_over(struct policy *policy, const struct predecessor *old, void (*attached)(const struct kernel *kernel));

/* Removes what a take_over() that was killed has left beside the kernel side in force. Needs the change lock. */
enum status take_over_clean(void);

#endif
