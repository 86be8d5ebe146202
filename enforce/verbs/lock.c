/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lock: the policy stays as it is until the machine stops.
 */
#include <stdio.h>
#include <string.h>

#include "enforce/change/change_lock.h"
#include "enforce/change/guard.h"
#include "enforce/change/trial.h"
#include "enforce/kernel/image_store.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/live.h"
#include "enforce/kernel/locked.h"
#include "enforce/kernel/take_over.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"

static enum status lock_opened(const struct kernel *kernel)
{
	_cleanup_close_ int copy = image_copy_in_force(kernel);

	if (copy < 0)
		return fail(STATUS_FAILED, "can't copy the policy, for readers: %s; nothing was locked", strerror(-copy));
	return guard_set(kernel, copy);
}

/* Opened for writing, as freezing takes that; but not mapped so, when it comes to that. */
static enum status lock_all(void)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	enum status status;

	/* By an earlier one that didn't come to its end. */
	if (locked_has_frozen()) {
		status = kernel_open_frozen(&kernel);
		return status == STATUS_DONE ? lock_opened(&kernel) : status;
	}
	status = kernel_open(&kernel, true, false);
	/* What a trial that is over has left is put in order first; while one is pending, it isn't known what is to be locked. */
	if (status == STATUS_DONE)
		status = trial_refuse(&kernel);
	if (status == STATUS_DONE)
		status = trial_settle(&kernel);
	/* From now on, nobody who drains gets what is taken out (bpf/drain.bpf.h). */
	if (status == STATUS_DONE)
		kernel.control->locked = 1;
	kernel_unmap(&kernel);
	return status == STATUS_DONE ? lock_opened(&kernel) : status;
}

/* Nothing was locked after all. */
static void undo(void)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;

	if (!locked_has_frozen() && !locked_is_set() && kernel_open(&kernel, true, true) == STATUS_DONE)
		kernel.control->locked = 0;
}

enum status verb_lock(const struct invocation *invocation)
{
	_cleanup_close_ int lock = -1;
	enum status status = change_begin(&lock);

	(void)invocation;
	if (status == STATUS_DONE)
		status = kernel_is_loaded(false);
	if (status == STATUS_DONE && locked_is_set()) {
		puts("Nothing to do: the policy is locked.");
		return STATUS_DONE;
	}
	if (status == STATUS_DONE)
		status = lock_all();
	if (status != STATUS_DONE)
		undo();
	if (status == STATUS_DONE)
		puts("Locked: the policy can't be changed, nor the program detached, until the machine stops.");
	return status;
}
