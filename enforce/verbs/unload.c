/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * unload: detaches and removes everything.
 */
#include <stdio.h>

#include "enforce/change/change_lock.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/take_over.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"

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
