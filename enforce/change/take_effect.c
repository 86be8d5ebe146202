/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/take_effect.h"

#include <string.h>

#include "enforce/base/when.h"
#include "enforce/kernel/gate.h"
#include "enforce/kernel/live.h"
#include "enforce/kernel/trial_word.h"
#include "policy/decide.h"

/* Returns when the kernel makes its next change by itself, in ns since boot; 0: never. */
static uint64_t next_end(const struct kernel *kernel, const struct image *image)
{
	uint64_t now = (uint64_t)when_now().boot, next = decide_next_end(image, now), left;

	if (kernel->control && trial_now(kernel, &left) == TRIAL_IS_PENDING && (!next || now + left < next))
		next = now + left;
	return next;
}

static int act(const struct kernel *kernel, const struct image *image, unsigned parts, struct effect *effect)
{
	struct listeners listeners = { 0 };
	int error = listeners_find_each(kernel, &listeners);

	if (!error && parts & EFFECT_ASK)
		ask_again(&listeners, image, &effect->unasked);
	if (!error && parts & EFFECT_DRAIN)
		error = drain(kernel, &listeners, image, &effect->drained);
	listeners_clear(&listeners);
	return error;
}

static enum status apply(const struct kernel *kernel, const struct image *image, unsigned parts, struct effect *effect)
{
	int error = 0;

	effect->next_end = next_end(kernel, image);
	if (decide_denies_some(image))
		error = act(kernel, image, parts, effect);
	return error ? fail(STATUS_FAILED, "can't tell who waits in accept() and is denied by now: %s", strerror(-error)) : STATUS_DONE;
}

enum status take_effect(const struct kernel *kernel, unsigned parts, struct effect *effect)
{
	_cleanup_image_ struct image image = { 0 };
	enum status status = live_image_in_force(kernel, &image);

	return status == STATUS_DONE ? apply(kernel, &image, parts, effect) : status;
}

/* While a policy is on trial, the gate isn't detached: the policy before it may want the gate, and comes back by itself. */
static void attach_gate(const struct kernel *kernel, const struct policy_header *header)
{
	bool wanted = header->mode == MODE_ENFORCE && header->flags & POLICY_GATES;
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
	_cleanup_effect_ struct effect effect = { 0 };
	_cleanup_image_ struct image image = { 0 };
	enum status status = live_image_in_force(kernel, &image);

	if (status == STATUS_DONE) {
		attach_gate(kernel, &image.pages->header);
		status = apply(kernel, &image, EFFECT_ASK | (drain ? EFFECT_DRAIN : 0), &effect);
	}
	if (status == STATUS_DONE)
		effect_warn(&effect);
	else
		warn("the change is in force; but a thread that waits in accept() may take one more connection");
	__atomic_add_fetch(&kernel->state->changes, 1, __ATOMIC_SEQ_CST);
}

void effect_warn(const struct effect *effect)
{
	unasked_warn(&effect->unasked);
	drained_warn(&effect->drained);
}

void effect_clear(struct effect *effect)
{
	leftovers_clear(&effect->unasked);
	leftovers_clear(&effect->drained.left);
	*effect = (struct effect){ 0 };
}
