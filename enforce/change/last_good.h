/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last good policy: what a boot can fall back to whose files are invalid.
 */
#ifndef SOCKACCEPT_LAST_GOOD_H
#define SOCKACCEPT_LAST_GOOD_H

#include <stdbool.h>

#include "policy/policy.h"

#define STATE_DIR "/var/lib/sockaccept"
#define LAST_GOOD_FILE STATE_DIR "/last-good.ini"

/* What there is to say while it is in force. */
#define LAST_GOOD_PROBLEM                                                                                      \
	"the policy's files were invalid at boot: in force is the last good policy, " LAST_GOOD_FILE           \
	"; mend them, see: sockaccept-ctl check, then run: sockaccept-ctl load"

/*
 * What was kept of an earlier trial is worth nothing any more: before another policy is put in force, so that none that is
 * killed leaves it to the other's confirm.
 */
void last_good_forget_trial(void);

/*
 * Keeps `policy` (NULL: none), whole or not at all; a warning says what is wrong. Nothing is written when it is kept already.
 * One `on_trial` is kept apart, until last_good_confirm().
 */
void last_good_keep(const struct policy *policy, bool on_trial);

/* The policy on trial has stayed: if it was kept, it is the last good one now. */
void last_good_confirm(void);

/*
 * Reads and resolves it: what it names and isn't there waits. Says what is wrong with it, and returns false then; silently if
 * there is none.
 */
bool last_good_read(struct policy *policy);

#endif
