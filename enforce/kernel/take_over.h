/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One kernel side takes over from another: for upgrades of sockaccept-ctl that change the maps.
 */
#ifndef SOCKACCEPT_TAKE_OVER_H
#define SOCKACCEPT_TAKE_OVER_H

#include "enforce/kernel/kernel.h"
#include "policy/policy.h"

/* What is known of the kernel side that is taken over from. */
struct predecessor {
	struct kernel kernel; /* open are, as far as they are there: MAP_STATE, mapped for reading, and what carry_processes() asks */
	uint32_t *numbers;    /* those that the policy's binaries have there */
};

/*
 * Loads this version's kernel side with `policy`, attaches it, and only then detaches the one that was there: each accept is
 * judged by one of both, or for a moment by both. Processes keep the binary that they are in `old`. Counters and events begin
 * anew; the generation goes on from policy->generation. `attached` is called once the new one decides, before the old one goes. Needs the lock. Says what is wrong; the old one is then in force, unchanged.
 */
enum status take_over(struct policy *policy, const struct predecessor *old, void (*attached)(const struct kernel *kernel));

/* Removes what a take_over() that was killed has left beside the kernel side in force. Needs the lock. */
enum status take_over_clean(void);

#endif
