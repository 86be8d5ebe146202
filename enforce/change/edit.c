/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/edit.h"

#include "enforce/change/change_lock.h"
#include "enforce/change/lockout.h"
#include "enforce/change/take_effect.h"
#include "enforce/change/trial.h"
#include "enforce/kernel/live.h"
#include "enforce/kernel/module_layout.h"
#include "policy/cleanup.h"

/* Changes the live `policy`, gives it its numbers, and refuses it if it locks the administrator out. */
static enum status make_change(struct kernel *kernel, const struct policy_edit *edit, struct policy *policy, bool *changed)
{
	_cleanup_image_ struct image before = { 0 };

	TRY(live_image(policy, &before));
	TRY(edit->change(kernel, policy, edit->data, changed));
	if (*changed) {
		TRY(live_number(kernel, policy, true));
		TRY(lockout_check(kernel, &before, policy, edit->force));
	}
	if (edit->look)
		edit->look(policy, edit->data);
	return STATUS_DONE;
}

static enum status change_and_publish(struct kernel *kernel, const struct policy_edit *edit, struct policy *policy, bool *changed)
{
	_cleanup_free_ bool *taken = NULL;
	enum status status;

	TRY(live_read(kernel, policy));
	taken = live_counters(policy);
	TRY(make_change(kernel, edit, policy, changed));
	if (edit->commit)
		TRY(edit->commit(edit->data));
	if (!*changed)
		return STATUS_DONE;
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
	_cleanup_policy_ struct policy policy = POLICY_INIT;

	TRY(change_begin(&lock));
	TRY(kernel_open(&kernel, true, false));
	TRY(trial_refuse(&kernel));
	TRY(trial_settle(&kernel));
	tell_queue_layouts(&kernel);
	TRY(change_and_publish(&kernel, edit, &policy, changed));
	*generation = policy.generation;
	return STATUS_DONE;
}
