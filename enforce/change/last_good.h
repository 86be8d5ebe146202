/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeps the last good policy, which a boot falls back to if its files are invalid.
 */
#ifndef SOCKACCEPT_LAST_GOOD_H
#define SOCKACCEPT_LAST_GOOD_H

#include <stdbool.h>

#include "policy/policy.h"

#define STATE_DIR "/var/lib/sockaccept"
#define LAST_GOOD_FILE STATE_DIR "/last-good.ini"

/* What is printed while it is in force. */
#define LAST_GOOD_PROBLEM                                                                            \
	"the policy's files were invalid at boot: in force is the last good policy, " LAST_GOOD_FILE \
	"; mend them, see: sockaccept-ctl check, then run: sockaccept-ctl load"

/*
 * Forgets the policy that was kept for a trial. Called before another policy is put in force, so that a command which is killed then
 * doesn't leave it to the confirm of that other policy.
 */
void last_good_forget_trial(void);

/*
 * Keeps `policy`, whole or not at all, unless it is NULL or kept already. A policy `on_trial` is kept apart until last_good_confirm().
 * Warns if it can't.
 */
void last_good_keep(const struct policy *policy, bool on_trial);

/* Makes the policy that was kept for a trial the last good one, if there is one: it was confirmed. Warns if it can't. */
void last_good_confirm(void);

/*
 * Reads and resolves the last good policy into `policy`, which is empty. A path that leads nowhere makes its rules wait. Returns false if
 * there is none, or if it is invalid, and prints why in that case.
 */
bool last_good_read(struct policy *policy);

#endif
