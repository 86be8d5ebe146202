/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/fall_back.h"

#include "enforce/change/boot_files.h"
#include "enforce/change/differences.h"
#include "enforce/change/last_good.h"
#include "enforce/change/publish.h"
#include "enforce/kernel/hidden.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/live.h"
#include "policy/cleanup.h"

/* Returns true if a last good policy is in force, and reads it into `live`, which is empty. */
static bool read_last_good_in_force(struct policy *live)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;

	return kernel_open(&kernel, false, true) == STATUS_DONE && kernel.state->last_good && live_read(&kernel, live) == STATUS_DONE;
}

/*
 * Returns true if the last good policy should replace the one in force, and reads it into `policy`, which is empty: another last good
 * policy is in force, and this one is in /var, which was mounted meanwhile.
 */
static bool read_later_last_good(struct policy *policy)
{
	_cleanup_policy_ struct policy live = POLICY_INIT;

	if (!read_last_good_in_force(&live) || !last_good_read(policy) || policy->failure != FAILURE_CLOSED)
		return false;
	policy_normalise(policy);
	return !policies_are_alike(policy, &live);
}

enum status fall_back(enum status why)
{
	const struct publication how = { .boot = true, .last_good = true };
	const char *what = why == STATUS_INVALID ? "the policy is invalid" : "the policy can't be put in force";
	bool loaded = hidden_found() || kernel_is_loaded(true) == STATUS_DONE;
	_cleanup_policy_ struct policy policy = POLICY_INIT;

	boot_files_set_source(&policy, LAST_GOOD_FILE);
	if (loaded && !read_later_last_good(&policy))
		fail(why, "%s: nothing of it was applied, and the one in force stays", what);
	else if (!loaded && !last_good_read(&policy))
		fail(why, "%s, and there is no last good one: NOTHING IS ENFORCED; fix it, see: sockaccept-ctl check, then load it", what);
	else if (policy.failure != FAILURE_CLOSED)
		fail(why,
		     "%s, and the last good one has failure = open: NOTHING IS ENFORCED; fix it, see: sockaccept-ctl check, then load "
		     "it",
		     what);
	else if (publish(&policy, &how) == STATUS_DONE)
		fail(why,
		     "%s: the last good one, " LAST_GOOD_FILE ", is in force, as its failure = closed says; fix it, see: "
		     "sockaccept-ctl check, then load it",
		     what);
	else
		fail(why, "%s, and the last good one can't be put in force either: NOTHING IS ENFORCED", what);
	return why;
}
