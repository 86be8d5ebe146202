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

/* Gives `policy` its numbers, and refuses it if it locks the administrator out. `before` is what was in force, or NULL. */
static enum status number_and_check(struct kernel *kernel, const struct policy *before, struct policy *policy,
				    const struct publication *how)
{
	_cleanup_image_ struct image image = { 0 };

	TRY(live_number(kernel, policy, !how->boot));
	if (how->boot)
		return STATUS_DONE;
	if (before)
		TRY(live_image(before, &image));
	return lockout_check(kernel, &image, policy, how->force);
}

static enum status prepare_fallback(const struct kernel *kernel, struct policy *fallback, uint64_t generation, uint64_t seconds)
{
	if (!seconds)
		return STATUS_DONE;
	/* It comes after the policy that is about to be published. */
	fallback->generation = generation + 1;
	return live_prepare_trial(kernel, fallback);
}

/* The trial begins just before its policy is in place, so that a command that is killed in between leaves no policy without its trial. */
static enum status begin_trial(const struct kernel *kernel, uint64_t seconds)
{
	if (!seconds || trial_begin(kernel, seconds))
		return STATUS_DONE;
	return fail(STATUS_FAILED, "the time of the policy on trial was up just now, so the one before it stays; try again");
}

/* Where the list of security modules can't be read, a real accept(2) shows whether the program is called. */
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
	/* Without its remedy, which is for a machine where the program should be called. */
	seen = text_format("%.*s", message ? (int)strcspn(message, ";") : 0, message ? message : "");
	return prerequisite_lsm_is_missing(seen);
}

static enum status attach_and_prove(struct kernel *kernel)
{
	TRY(kernel_attach(kernel));
	TRY(prove(kernel));
	if (listeners_note(kernel))
		warn("can't tell who listens already; a socket of theirs could be moved to another port under a thread that waits on it");
	return STATUS_DONE;
}

/* Does what publish_first() does once the programs are loaded. */
static enum status publish_and_attach(struct kernel *kernel, struct policy *policy, const struct publication *how)
{
	_cleanup_policy_ struct policy nothing = POLICY_INIT; /* denies nothing, as when nothing was loaded */
	_cleanup_free_ bool *taken = live_counters(policy);

	TRY(number_and_check(kernel, NULL, policy, how));
	TRY(prepare_fallback(kernel, &nothing, 0, how->confirm));
	TRY(begin_trial(kernel, how->confirm));
	last_good_forget_trial();
	TRY(live_publish(kernel, policy, taken));
	return attach_and_prove(kernel);
}

static enum status publish_first(struct kernel *kernel, struct policy *policy, const struct publication *how)
{
	enum status status;

	TRY(hidden_refuse_unsearched());
	TRY(kernel_prepare(kernel, policy->events));
	status = publish_and_attach(kernel, policy, how);
	if (status != STATUS_DONE)
		kernel_detach();
	return status;
}

/*
 * Reads what is in force into `before`, and into `fallback` what to go back to if the new policy isn't confirmed; that stays empty if
 * neither the new policy nor the one in force is on trial. *pending: the one in force is.
 */
static enum status read_before(const struct kernel *kernel, bool on_trial, struct policy *before, struct policy *fallback, bool *pending)
{
	uint64_t left;

	TRY(trial_settle(kernel));
	*pending = trial_now(kernel, &left) == TRIAL_IS_PENDING;
	TRY(live_read_image(kernel, before));
	if (*pending)
		return live_read_before(kernel, fallback);
	return on_trial ? live_read_image(kernel, fallback) : STATUS_DONE;
}

/* Publishes `policy` in the place of `before`. `pending`: that one is itself on trial. */
static enum status replace(struct kernel *kernel, const struct policy *before, struct policy *fallback, bool pending, struct policy *policy,
			   const struct publication *how)
{
	_cleanup_free_ bool *taken = live_counters(before);
	uint64_t generation = fallback->generation > before->generation ? fallback->generation : before->generation;
	size_t temporaries = policy_keep_temporaries(policy, before);
	enum status status;

	/* What a policy on trial denies isn't denied for good yet. */
	TRY(number_and_check(kernel, pending ? NULL : before, policy, how));
	live_take_counters(fallback, taken);
	TRY(prepare_fallback(kernel, fallback, generation, how->confirm));
	/* A trial that is already under way protects the new policy too; it is prolonged once that is in place. */
	if (!pending)
		TRY(begin_trial(kernel, how->confirm));
	policy->generation = generation;
	last_good_forget_trial();
	status = live_publish(kernel, policy, taken);
	if (status == STATUS_DONE && pending)
		status = begin_trial(kernel, how->confirm);
	/* A trial that was already under way ends only if a policy without a trial replaces it. */
	if (status == STATUS_DONE ? !how->confirm : !pending)
		trial_end(kernel);
	if (status == STATUS_DONE && temporaries)
		warn("%zu temporary rule%s in force until the end of %s time; see: sockaccept-ctl list", temporaries,
		     temporaries == 1 ? " stays" : "s stay", temporaries == 1 ? "its" : "their");
	return status;
}

static enum status publish_next(struct kernel *kernel, struct policy *policy, const struct publication *how)
{
	_cleanup_policy_ struct policy before = POLICY_INIT, fallback = POLICY_INIT;
	bool pending = false;

	TRY(read_before(kernel, how->confirm, &before, &fallback, &pending));
	TRY(replace(kernel, &before, &fallback, pending, policy, how));
	stance_warn(stance_of(&before), stance_of(policy));
	if (kernel_events(kernel) != policy->events)
		warn("the buffers still hold %" PRIu32 " events each, not %" PRIu32 ": to change that, run: sockaccept-ctl unload, "
		     "then load",
		     kernel_events(kernel), policy->events);
	return STATUS_DONE;
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
	if (status != STATUS_DONE)
		return status;
	take_effect_and_warn(&kernel, true);
	tell_queue_layouts(&kernel);
	/* With a trial, what it falls back to stays the last good policy, or not. */
	if (!how->confirm)
		kernel.state->last_good = how->last_good;
	if (problem)
		warn("NOT ENFORCING: %s", problem);
	return STATUS_DONE;
}
