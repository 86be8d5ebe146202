/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * unload: detaches and removes everything.
 */
#include <stdio.h>

#include "enforce/change/change_lock.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/locked.h"
#include "enforce/kernel/take_over.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"

static enum status refuse_unloading(void)
{
	TRY(kernel_is_loaded(false));
	TRY(kernel_refuse_newer());
	return kernel_refuse_locked();
}

static enum status remove_all(void)
{
	locked_remove_remains();
	TRY(take_over_clean());
	return kernel_detach();
}

enum status verb_unload(const struct invocation *invocation)
{
	_cleanup_close_ int lock = -1;
	enum status status, removed;

	(void)invocation;
	TRY(change_lock_take(&lock));
	status = refuse_unloading();
	if (status != STATUS_DONE && status != STATUS_NOT_LOADED)
		return status;
	/* Also if nothing is loaded: commands that were killed can have left something. */
	removed = remove_all();
	if (status == STATUS_NOT_LOADED)
		return status;
	TRY(removed);
	puts("Unloaded: nothing is enforced.");
	return STATUS_DONE;
}
