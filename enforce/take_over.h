/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One kernel side takes over from another: for upgrades of sockaccept-ctl that change the maps.
 */
#ifndef SOCKACCEPT_TAKE_OVER_H
#define SOCKACCEPT_TAKE_OVER_H

#include "enforce/status.h"
#include "policy/policy.h"

/*
 * Loads this version's kernel side with `policy`, attaches it, and only then detaches the one that was there: each accept is
 * judged by one of both, or for a moment by both. Counters and events begin anew; the generation goes on from
 * policy->generation. Needs the lock. Says what is wrong; the old one is then in force, unchanged.
 */
enum status take_over(struct policy *policy);

/* Removes what a take_over() that was killed has left beside the kernel side in force. Needs the lock. */
enum status take_over_clean(void);

/* lock_take() for a command that changes something, and that. */
enum status take_over_lock(int *lock);

#endif
