/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lock: keeps the policy as it is until the machine stops.
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

static enum status lock_all(void)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;

	/* By an earlier `lock` that was cut short. */
	if (locked_has_frozen()) {
		TRY(kernel_open_frozen(&kernel));
		return lock_opened(&kernel);
	}
	/* Freezing a map takes a descriptor for writing. */
	TRY(kernel_open(&kernel, true, false));
	/* While a policy is on trial, it isn't known which one is to be locked. */
	TRY(trial_refuse(&kernel));
	TRY(trial_settle(&kernel));
	/* From now on, nobody who drains gets the connections that are taken out (bpf/drain.bpf.h). */
	kernel.control->locked = 1;
	/* A map that is mapped for writing can't be frozen. */
	kernel_unmap(&kernel);
	return lock_opened(&kernel);
}

/* Takes back what lock_all() has set, unless the policy is locked after all. */
static void undo(void)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;

	if (!locked_has_frozen() && !locked_is_set() && kernel_open(&kernel, true, true) == STATUS_DONE)
		kernel.control->locked = 0;
}

enum status verb_lock(const struct invocation *invocation)
{
	_cleanup_close_ int lock = -1;
	enum status status;

	(void)invocation;
	TRY(change_begin(&lock));
	TRY(kernel_is_loaded(false));
	if (locked_is_set()) {
		puts("Nothing to do: the policy is locked.");
		return STATUS_DONE;
	}
	status = lock_all();
	if (status != STATUS_DONE)
		undo();
	else
		puts("Locked: the policy can't be changed, nor the program detached, until the machine stops.");
	return status;
}
