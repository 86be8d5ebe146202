/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * load, unload, check: policies as a whole.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/base/output.h"
#include "enforce/change/boot_files.h"
#include "enforce/change/change_lock.h"
#include "enforce/change/diagnostics_print.h"
#include "enforce/change/differences.h"
#include "enforce/change/last_good.h"
#include "enforce/change/lockout.h"
#include "enforce/change/policy_files.h"
#include "enforce/change/take_effect.h"
#include "enforce/change/trial.h"
#include "enforce/change/weaker.h"
#include "enforce/kernel/hidden.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/listeners.h"
#include "enforce/kernel/live.h"
#include "enforce/kernel/module_layout.h"
#include "enforce/kernel/prerequisites.h"
#include "enforce/kernel/self_test.h"
#include "enforce/kernel/take_over.h"
#include "enforce/kernel/trial_word.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/text.h"

/* How a policy comes into force. */
struct publication {
	bool boot;      /* as the machine starts: nobody is there to be locked out */
	bool last_good; /* it is what a boot falls back to */
	bool force;     /* also if it locks the administrator out */
	uint64_t confirm; /* within so many seconds, or it goes again; 0: it stays */
};

/* `before`: what was in force; NULL: nothing. */
static enum status number_and_check(struct kernel *kernel, const struct policy *before, struct policy *policy,
				    const struct publication *how)
{
	struct image image = { 0 };
	enum status status = live_number(kernel, policy, !how->boot);

	if (how->boot)
		return status;
	if (status == STATUS_DONE && before)
		status = live_image(before, &image);
	if (status == STATUS_DONE)
		status = lockout_check(kernel, &image, policy, how->force);
	image_clear(&image);
	return status;
}

static enum status prepare_fallback(const struct kernel *kernel, struct policy *fallback, uint64_t generation, uint64_t seconds)
{
	if (!seconds)
		return STATUS_DONE;
	/* One more than the policy that is about to come. */
	fallback->generation = generation + 1;
	return live_prepare_trial(kernel, fallback);
}

/* The time of the trial begins just before its policy is in place: killed between, the command leaves no policy unprotected. */
static enum status begin_trial(const struct kernel *kernel, uint64_t seconds)
{
	if (!seconds || trial_begin(kernel, seconds))
		return STATUS_DONE;
	return fail(STATUS_FAILED, "the time of the policy on trial was up just now, so the one before it stays; try again");
}

/* Where it can't be read which security modules there are, a real accept tells whether the program is called. */
static enum status prove(const struct kernel *kernel)
{
	const char *problem = prerequisites_not_enforcing();
	_cleanup_free_ char *message = NULL, *seen = NULL;
	enum status status = STATUS_DONE;

	if (prerequisite_lsm_is_known())
		return STATUS_DONE;
	messages_begin();
	status = self_test(kernel);
	message = messages_end();
	if (status == STATUS_DONE)
		return STATUS_DONE;
	if (problem)
		return fail(STATUS_UNSUPPORTED, "the program isn't called, so nothing was loaded: %s", problem);
	/* Without its remedy, which is for a machine on which it should work. */
	seen = text_format("%.*s", message ? (int)strcspn(message, ";") : 0, message ? message : "");
	return prerequisite_lsm_is_missing(seen);
}

static enum status attach_and_prove(struct kernel *kernel)
{
	enum status status = kernel_attach(kernel);

	if (status == STATUS_DONE)
		status = prove(kernel);
	if (status == STATUS_DONE && listeners_note(kernel))
		warn("can't tell who listens already; a socket of theirs could be moved to another port under a thread that waits on it");
	return status;
}

static enum status publish_first(struct kernel *kernel, struct policy *policy, const struct publication *how)
{
	_cleanup_free_ bool *taken = NULL;
	struct policy nothing; /* denies nothing, as when nothing was loaded */
	enum status status = hidden_refuse_unsearched();

	if (status == STATUS_DONE)
		status = kernel_prepare(kernel, policy->events);
	if (status != STATUS_DONE)
		return status;
	policy_init(&nothing);
	taken = live_counters(policy);
	status = number_and_check(kernel, NULL, policy, how);
	if (status == STATUS_DONE)
		status = prepare_fallback(kernel, &nothing, 0, how->confirm);
	if (status == STATUS_DONE)
		status = begin_trial(kernel, how->confirm);
	if (status == STATUS_DONE) {
		last_good_forget_trial();
		status = live_publish(kernel, policy, taken);
	}
	policy_clear(&nothing);
	if (status == STATUS_DONE)
		status = attach_and_prove(kernel);
	if (status != STATUS_DONE)
		kernel_detach();
	return status;
}

/*
 * What is in force, and what to go back to if the new one isn't confirmed; left empty where it isn't needed. *pending: as for
 * replace().
 */
static enum status read_before(const struct kernel *kernel, bool on_trial, struct policy *before, struct policy *fallback, bool *pending)
{
	enum status status = trial_settle(kernel);
	uint64_t left;

	*pending = trial_now(kernel, &left) == TRIAL_IS_PENDING;
	if (status == STATUS_DONE)
		status = live_read_image(kernel, before);
	if (status == STATUS_DONE && *pending)
		status = live_read_before(kernel, fallback);
	else if (status == STATUS_DONE && on_trial)
		status = live_read_image(kernel, fallback);
	return status;
}

/* `pending`: the one before is itself on trial. */
static enum status replace(struct kernel *kernel, const struct policy *before, struct policy *fallback, bool pending,
			   struct policy *policy, const struct publication *how)
{
	_cleanup_free_ bool *taken = live_counters(before);
	uint64_t generation = fallback->generation > before->generation ? fallback->generation : before->generation;
	size_t temporaries = policy_keep_temporaries(policy, before);
	/* What a policy on trial denies isn't denied for good yet. */
	enum status status = number_and_check(kernel, pending ? NULL : before, policy, how);

	live_take_counters(fallback, taken);
	if (status == STATUS_DONE)
		status = prepare_fallback(kernel, fallback, generation, how->confirm);
	/* A trial that is under way already protects its successor too; and is only prolonged for that. */
	if (status == STATUS_DONE && !pending)
		status = begin_trial(kernel, how->confirm);
	if (status != STATUS_DONE)
		return status;
	policy->generation = generation;
	last_good_forget_trial();
	status = live_publish(kernel, policy, taken);
	if (status == STATUS_DONE && pending)
		status = begin_trial(kernel, how->confirm);
	/* Of a trial that was under way already, only what replaces it makes an end. */
	if (status == STATUS_DONE ? !how->confirm : !pending)
		trial_end(kernel);
	if (status == STATUS_DONE && temporaries)
		warn("%zu temporary rule%s in force until the end of %s time; see: sockaccept-ctl list", temporaries,
		     temporaries == 1 ? " stays" : "s stay", temporaries == 1 ? "its" : "their");
	return status;
}

static enum status publish_next(struct kernel *kernel, struct policy *policy, const struct publication *how)
{
	struct policy before, fallback;
	bool pending = false;
	enum status status;

	policy_init(&before);
	policy_init(&fallback);
	status = read_before(kernel, how->confirm, &before, &fallback, &pending);
	if (status == STATUS_DONE)
		status = replace(kernel, &before, &fallback, pending, policy, how);
	if (status == STATUS_DONE)
		stance_warn(stance_of(&before), stance_of(policy));
	if (status == STATUS_DONE && kernel_events(kernel) != policy->events)
		warn("the buffers still hold %" PRIu32 " events each, not %" PRIu32 ": that changes when the kernel side is loaded "
		     "anew, after sockaccept-ctl unload", kernel_events(kernel), policy->events);
	policy_clear(&fallback);
	policy_clear(&before);
	return status;
}

static enum status publish(struct policy *policy, const struct publication *how)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	enum status status = kernel_open(&kernel, true, true);
	const char *problem = prerequisites_not_enforcing();

	if (status == STATUS_NOT_LOADED)
		status = publish_first(&kernel, policy, how);
	else if (status == STATUS_DONE)
		status = publish_next(&kernel, policy, how);
	if (status == STATUS_DONE) {
		take_effect_and_warn(&kernel, true);
		tell_queue_layouts(&kernel);
		/* Of one on trial, what it would fall back to stays what it is. */
		if (!how->confirm)
			kernel.state->last_good = how->last_good;
	}
	if (status == STATUS_DONE && problem)
		warn("NOT ENFORCING: %s", problem);
	return status;
}

/* True if a last good policy is in force; it goes to `live`, which is empty. */
static bool read_last_good_in_force(struct policy *live)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;

	return kernel_open(&kernel, false, true) == STATUS_DONE && kernel.state->last_good && live_read(&kernel, live) == STATUS_DONE;
}

/*
 * Reads the last good policy into `policy`, which is empty, where one is in force that is another: that in /var, which was mounted
 * meanwhile. False: what is in force is to stay.
 */
static bool read_later_last_good(struct policy *policy)
{
	struct policy live;
	bool later;

	policy_init(&live);
	later = read_last_good_in_force(&live) && last_good_read(policy) && policy->failure == FAILURE_CLOSED;
	if (later) {
		policy_normalise(policy);
		later = !policies_are_alike(policy, &live);
	}
	policy_clear(&live);
	return later;
}

/*
 * At a boot that can't put the policy of the files in force; what is wrong with them was said. Returns `why` whatever comes of it:
 * somebody has to look at it.
 */
static enum status fall_back(enum status why)
{
	const struct publication how = { .boot = true, .last_good = true };
	const char *what = why == STATUS_INVALID ? "the policy is invalid" : "the policy can't be put in force";
	bool loaded = hidden_found() || kernel_is_loaded(true) == STATUS_DONE;
	struct policy policy;

	policy_init(&policy);
	boot_files_set_source(&policy, LAST_GOOD_FILE);
	if (loaded && !read_later_last_good(&policy))
		fail(why, "%s: nothing of it was applied, and the one in force stays", what);
	else if (!loaded && !last_good_read(&policy))
		fail(why, "%s, and there is no last good one: NOTHING IS ENFORCED; mend it, see: sockaccept-ctl check, then load it", what);
	else if (policy.failure != FAILURE_CLOSED)
		fail(why, "%s, and the last good one has failure = open: NOTHING IS ENFORCED; mend it, see: sockaccept-ctl check, then load "
		     "it", what);
	else if (publish(&policy, &how) == STATUS_DONE)
		fail(why, "%s: the last good one, " LAST_GOOD_FILE ", is in force, as its failure = closed says; mend it, see: "
		     "sockaccept-ctl check, then load it", what);
	else
		fail(why, "%s, and the last good one can't be put in force either: NOTHING IS ENFORCED", what);
	policy_clear(&policy);
	return why;
}

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

enum status verb_unload(const struct invocation *invocation)
{
	_cleanup_close_ int lock = -1;
	enum status status = change_lock_take(&lock), detached = STATUS_DONE;

	(void)invocation;
	if (status == STATUS_DONE)
		status = kernel_is_loaded(false);
	if (status == STATUS_DONE)
		status = kernel_refuse_newer();
	if (status == STATUS_DONE)
		status = kernel_refuse_locked();
	if (status == STATUS_DONE || status == STATUS_NOT_LOADED)
		detached = take_over_clean();
	/* What a command that was killed left behind goes as well. */
	if (detached == STATUS_DONE && (status == STATUS_DONE || status == STATUS_NOT_LOADED))
		detached = kernel_detach();
	if (status == STATUS_DONE)
		status = detached;
	if (status == STATUS_DONE)
		puts("Unloaded: nothing is enforced.");
	return status;
}

static void print_check(const struct diagnostics *diagnostics, const struct policy *policy, bool json)
{
	struct output output;

	output_start(&output, stdout, json);
	if (!json) {
		diagnostics_print(diagnostics);
		if (!diagnostics->errors)
			printf("Valid: %zu rule%s.\n", policy->rule_count, policy->rule_count == 1 ? "" : "s");
		return;
	}
	output_open_object(&output, NULL);
	output_number(&output, "schema", NULL, 1);
	output_flag(&output, "valid", NULL, !diagnostics->errors);
	diagnostics_print_json(&output, "errors", diagnostics, SEVERITY_ERROR);
	diagnostics_print_json(&output, "warnings", diagnostics, SEVERITY_WARNING);
	if (diagnostics->offline)
		diagnostics_print_json(&output, "notes", diagnostics, SEVERITY_NOTE);
	output_close(&output);
	output_end(&output);
}

enum status verb_check(const struct invocation *invocation)
{
	struct diagnostics diagnostics = { 0 };
	struct policy policy;
	enum status status;

	policy_init(&policy);
	policy_files_read(invocation->arguments[0], invocation->given[OPTION_OFFLINE] ? READ_OFFLINE : READ_FOR_CHECK, !invocation->given[OPTION_NO_WARNINGS], &policy, &diagnostics);
	if (!diagnostics.errors)
		policy_normalise(&policy);
	print_check(&diagnostics, &policy, invocation->given[OPTION_JSON]);
	status = diagnostics.errors ? STATUS_INVALID : STATUS_DONE;
	diagnostics_clear(&diagnostics);
	policy_clear(&policy);
	return status;
}
