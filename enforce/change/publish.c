/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/publish.h"

#include <inttypes.h>
#include <string.h>

#include "enforce/change/last_good.h"
#include "enforce/change/lockout.h"
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
#include "enforce/kernel/trial_word.h"
#include "policy/cleanup.h"
#include "policy/text.h"

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

enum status publish(struct policy *policy, const struct publication *how)
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
