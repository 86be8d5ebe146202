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
	return fail(STATUS_USAGE, "--confirm '%s': write within how many seconds it will be confirmed, from 1 to %d", text,
		    TRIAL_SECONDS_MAX);
}

/* Puts `policy` in force, or at a boot what takes its place. */
static enum status read_and_publish(const struct invocation *invocation, const struct publication *how, struct policy *policy)
{
	const char *path = invocation->arguments[0];
	enum purpose purpose = how->boot ? READ_AT_BOOT : READ_FOR_LOAD;
	enum status status = policy_files_read_valid(path, purpose, !invocation->given[OPTION_NO_WARNINGS], policy);

	boot_files_set_source(policy, path);
	if (status == STATUS_DONE)
		status = publish(policy, how);
	else if (status == STATUS_INVALID && !how->boot)
		fail(status, "the policy is invalid: nothing of it was applied");
	return how->boot && (status == STATUS_INVALID || status == STATUS_FAILED) ? fall_back(status) : status;
}

enum status verb_load(const struct invocation *invocation)
{
	struct publication how = { .boot = invocation->given[OPTION_BOOT], .force = invocation->given[OPTION_FORCE] };
	_cleanup_close_ int lock = -1;
	_cleanup_policy_ struct policy policy = POLICY_INIT;

	TRY(read_seconds(invocation->given[OPTION_CONFIRM], &how.confirm));
	/* The lock is taken before the files are read: what was read last is loaded last. */
	TRY(change_begin(&lock));
	TRY(read_and_publish(invocation, &how, &policy));
	/*
	 * A policy from elsewhere is none for a boot, and one on trial isn't yet. A policy with users that the system doesn't know is worth
	 * less than the last one that had all its users, with their ids.
	 */
	last_good_keep(invocation->arguments[0] || policy.unknown_user_count ? NULL : &policy, how.confirm);
	printf("Loaded %zu rule%s: mode %s, default %s, generation %" PRIu64 ".\n", policy.rule_count, policy.rule_count == 1 ? "" : "s",
	       ini_mode_words[policy.mode], ini_verdict_words[policy.verdict], policy.generation);
	if (!invocation->given[OPTION_NO_WARNINGS])
		boot_files_remark(&policy);
	if (how.confirm)
		printf("On trial for %" PRIu64 " s: sockaccept-ctl confirm makes it stay, or the policy before it comes back.\n",
		       how.confirm);
	return STATUS_DONE;
}
