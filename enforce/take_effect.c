/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/take_effect.h"

#include <string.h>

#include "enforce/gate.h"
#include "enforce/live.h"
#include "enforce/trial.h"
#include "enforce/when.h"
#include "policy/image.h"

/* True if a policy denies anyone; mostly, one that doesn't is seen by that. */
static bool denies_some(const struct policy *policy)
{
	bool some = policy->verdict == VERDICT_DENY;

	for (size_t i = 0; i < policy->rule_count && !some; i++)
		some = policy->rules[i].verdict == VERDICT_DENY;
	return some && policy->mode == MODE_ENFORCE;
}

/* What the kernel changes by itself, and when next. */
static uint64_t next_end(const struct kernel *kernel, const struct policy *policy)
{
	uint64_t next = 0, left;

	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].until && (!next || policy->rules[i].until < next))
			next = policy->rules[i].until;
	if (kernel->control && trial_now(kernel, &left) == TRIAL_IS_PENDING) {
		uint64_t end = (uint64_t)when_now().boot + left;

		next = next && next < end ? next : end;
	}
	return next;
}

static int act(const struct kernel *kernel, const struct image *image, unsigned parts, struct effect *effect)
{
	struct listeners listeners = { 0 };
	int error = listeners_find_each(kernel, &listeners);

	if (!error && parts & EFFECT_ASK)
		ask_again(&listeners, image, &effect->asked);
	if (!error && parts & EFFECT_DRAIN)
		error = drain(kernel, &listeners, image, &effect->drained);
	listeners_clear(&listeners);
	return error;
}

static enum status apply(const struct kernel *kernel, const struct policy *policy, unsigned parts, struct effect *effect)
{
	struct image image = { 0 };
	enum status status;
	int error = 0;

	effect->next_end = next_end(kernel, policy);
	if (!denies_some(policy))
		return STATUS_DONE;
	status = live_image(policy, &image);
	if (status == STATUS_DONE)
		error = act(kernel, &image, parts, effect);
	if (error)
		status = fail(STATUS_FAILED, "can't tell who waits in accept() and is denied by now: %s", strerror(-error));
	image_clear(&image);
	return status;
}

enum status take_effect(const struct kernel *kernel, unsigned parts, struct effect *effect)
{
	struct policy policy;
	enum status status;

	policy_init(&policy);
	status = live_read_image(kernel, &policy);
	if (status == STATUS_DONE)
		status = apply(kernel, &policy, parts, effect);
	policy_clear(&policy);
	return status;
}

/* While a policy is on trial, the one before it may want the gate, and come back by itself. */
static void attach_gate(const struct kernel *kernel, const struct policy *policy)
{
	bool wanted = policy->mode == MODE_ENFORCE && policy->switches[SWITCH_GATE] == ANSWER_YES;
	uint64_t left;
	int error;

	if (!wanted && trial_now(kernel, &left) != TRIAL_IS_NONE)
		return;
	error = gate_attach(kernel, wanted);
	if (error && wanted)
		warn("the gate can't be attached: %s; denied listeners take new connections into their queues", strerror(-error));
	else if (error)
		warn("the gate can't be detached: %s; it refuses nothing, but each new connection passes it", strerror(-error));
}

void take_effect_and_warn(const struct kernel *kernel, bool drain)
{
	struct effect effect = { 0 };
	struct policy policy;
	enum status status;

	policy_init(&policy);
	status = live_read_image(kernel, &policy);
	if (status == STATUS_DONE) {
		attach_gate(kernel, &policy);
		status = apply(kernel, &policy, EFFECT_ASK | (drain ? EFFECT_DRAIN : 0), &effect);
	}
	if (status == STATUS_DONE) {
		asked_again_warn(&effect.asked);
		drained_warn(&effect.drained);
	} else {
		warn("the change is in force; but a thread that waits in accept() may take one more connection");
	}
	__atomic_add_fetch(&kernel->state->changes, 1, __ATOMIC_SEQ_CST);
	effect_clear(&effect);
	policy_clear(&policy);
}

void effect_clear(struct effect *effect)
{
	asked_again_clear(&effect->asked);
	drained_clear(&effect->drained);
	effect->next_end = 0;
}
