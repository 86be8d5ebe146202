/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * load: makes the policy of the files the one in force.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/change/boot_files.h"
#include "enforce/change/change_lock.h"
#include "enforce/change/fall_back.h"
#include "enforce/change/last_good.h"
#include "enforce/change/policy_files.h"
#include "enforce/change/publish.h"
#include "enforce/kernel/trial_word.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"
#include "policy/ini.h"

static enum status read_seconds(const char *text, uint64_t *seconds)
{
	if (!text)
		return STATUS_DONE;
	*seconds = strspn(text, "0123456789") == strlen(text) && strlen(text) < 6 ? strtoul(text, NULL, 10) : 0;
	if (*seconds >= 1 && *seconds <= TRIAL_SECONDS_MAX)
		return STATUS_DONE;
	return fail(STATUS_USAGE, "--confirm '%s': write within how many seconds it will be confirmed, from 1 to %d", text, TRIAL_SECONDS_MAX);
}

enum status verb_load(const struct invocation *invocation)
{
	struct publication how = { .boot = invocation->given[OPTION_BOOT], .force = invocation->given[OPTION_FORCE] };
	_cleanup_close_ int lock = -1;
	struct policy policy;
	enum status status = read_seconds(invocation->given[OPTION_CONFIRM], &how.confirm);

	if (status == STATUS_DONE)
		status = change_begin(&lock);
	/* The lock is taken before the files are read: what was read last is loaded last. */
	if (status != STATUS_DONE)
		return status;
	policy_init(&policy);
	status = policy_files_read_valid(invocation->arguments[0], how.boot ? READ_AT_BOOT : READ_FOR_LOAD,
					 !invocation->given[OPTION_NO_WARNINGS], &policy);
	boot_files_set_source(&policy, invocation->arguments[0]);
	if (status == STATUS_DONE)
		status = publish(&policy, &how);
	else if (status == STATUS_INVALID && !how.boot)
		fail(status, "the policy is invalid: nothing of it was applied");
	if (how.boot && (status == STATUS_INVALID || status == STATUS_FAILED))
		status = fall_back(status);
	/*
	 * What was loaded from elsewhere is no policy for a boot, and what is on trial isn't yet. One whose users the system didn't
	 * know is worth less than the last that had them all, with their ids.
	 */
	if (status == STATUS_DONE)
		last_good_keep(invocation->arguments[0] || policy.unknown_user_count ? NULL : &policy, how.confirm);
	if (status == STATUS_DONE)
		printf("Loaded %zu rule%s: mode %s, default %s, generation %" PRIu64 ".\n", policy.rule_count,
		       policy.rule_count == 1 ? "" : "s", ini_mode_words[policy.mode],
		       ini_verdict_words[policy.verdict], policy.generation);
	if (status == STATUS_DONE && !invocation->given[OPTION_NO_WARNINGS])
		boot_files_remark(&policy);
	if (status == STATUS_DONE && how.confirm)
		printf("On trial for %" PRIu64 " s: sockaccept-ctl confirm makes it stay, or the policy before it comes back.\n", how.confirm);
	policy_clear(&policy);
	return status;
}
