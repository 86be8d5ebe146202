/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/edit.h"

#include "enforce/change/change_lock.h"
#include "enforce/change/lockout.h"
#include "enforce/change/take_effect.h"
#include "enforce/change/trial.h"
#include "enforce/kernel/live.h"
#include "enforce/kernel/module_layout.h"
#include "policy/cleanup.h"

/* From the live policy to the changed one, numbered and judged. */
static enum status make_change(struct kernel *kernel, const struct policy_edit *edit, struct policy *policy, bool *changed)
{
	struct image before = { 0 };
	enum status status = live_image(policy, &before);

	if (status == STATUS_DONE)
		status = edit->change(kernel, policy, edit->data, changed);
	if (status == STATUS_DONE && *changed)
		status = live_number(kernel, policy, true);
	if (status == STATUS_DONE && *changed)
		status = lockout_check(kernel, &before, policy, edit->force);
	if (status == STATUS_DONE && edit->look)
		edit->look(policy, edit->data);
	image_clear(&before);
	return status;
}

static enum status change_and_publish(struct kernel *kernel, const struct policy_edit *edit, struct policy *policy, bool *changed)
{
	_cleanup_free_ bool *taken = NULL;
	enum status status = live_read(kernel, policy);

	taken = live_counters(policy);
	if (status == STATUS_DONE)
		status = make_change(kernel, edit, policy, changed);
	if (status == STATUS_DONE && edit->commit)
		status = edit->commit(edit->data);
	if (status != STATUS_DONE || !*changed)
		return status;
	status = live_publish(kernel, policy, taken);
	if (status == STATUS_DONE)
		take_effect_and_warn(kernel, true);
	else if (edit->undo)
		edit->undo(edit->data);
	return status;
}

enum status edit_policy(const struct policy_edit *edit, uint64_t *generation, bool *changed)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	_cleanup_close_ int lock = -1;
	struct policy policy;
	enum status status = change_begin(&lock);

	if (status == STATUS_DONE)
		status = kernel_open(&kernel, true, false);
	if (status == STATUS_DONE)
		status = trial_refuse(&kernel);
	if (status == STATUS_DONE)
		status = trial_settle(&kernel);
	if (status != STATUS_DONE)
		return status;
	tell_queue_layouts(&kernel);
	policy_init(&policy);
	status = change_and_publish(&kernel, edit, &policy, changed);
	if (status == STATUS_DONE)
		*generation = policy.generation;
	policy_clear(&policy);
	return status;
}
