/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The new kernel side is pinned in a directory beside the old one's, and then both directories exchange their names in one step (bpffs
 * can since Linux 5.16). So if this is killed at any moment, the usual directory holds one whole kernel side, and the directory beside
 * it at most another one, which the next command removes.
 */
#include "enforce/kernel/take_over.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "enforce/kernel/carry_processes.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/listeners.h"
#include "enforce/kernel/live.h"
#include "enforce/kernel/module_layout.h"
#include "policy/cleanup.h"

#define BESIDE SOCKACCEPT_PIN_DIR "-new" /* bpffs takes no dots in names */

static enum status remove_beside(void)
{
	enum status status;

	pins_are_in(BESIDE);
	status = kernel_detach();
	pins_are_in(SOCKACCEPT_PIN_DIR);
	return status;
}

enum status take_over_clean(void)
{
	return access(BESIDE, F_OK) ? STATUS_DONE : remove_beside();
}

static enum status carry_over_and_attach(struct kernel *kernel, const struct policy *policy, const struct predecessor *old)
{
	enum status status;

	tell_queue_layouts(kernel);
	kernel->state->last_good = old->kernel.state && old->kernel.state->last_good;
	carry_processes(&old->kernel, kernel, policy, old->numbers);
	status = kernel_attach(kernel);
	if (status == STATUS_DONE)
		listeners_note(kernel);
	return status;
}

/* Loads and attaches the new one beside the old one. */
static enum status attach_beside(struct kernel *kernel, struct policy *policy, const struct predecessor *old,
				 void (*attached)(const struct kernel *kernel))
{
	_cleanup_free_ bool *taken = live_counters(policy);
	enum status status;

	pins_are_in(BESIDE);
	status = kernel_prepare(kernel, policy->events);
	if (status == STATUS_DONE)
		status = live_number(kernel, policy, false);
	if (status == STATUS_DONE)
		status = live_publish(kernel, policy, taken);
	if (status == STATUS_DONE)
		status = carry_over_and_attach(kernel, policy, old);
	if (status == STATUS_DONE)
		attached(kernel);
	pins_are_in(SOCKACCEPT_PIN_DIR);
	return status;
}

enum status take_over(struct policy *policy, const struct predecessor *old, void (*attached)(const struct kernel *kernel))
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	enum status status = attach_beside(&kernel, policy, old, attached);

	/* If the new one must be removed again, no link of it may be open here. */
	kernel_close(&kernel);
	if (status == STATUS_DONE && renameat2(AT_FDCWD, BESIDE, AT_FDCWD, SOCKACCEPT_PIN_DIR, RENAME_EXCHANGE))
		status = fail(STATUS_FAILED, "can't exchange %s and %s: %s; the old kernel side stays", BESIDE, SOCKACCEPT_PIN_DIR,
			      strerror(errno));
	if (status != STATUS_DONE) {
		take_over_clean();
		return status;
	}
	/* The new one is in force, whatever happens to the old one. */
	if (remove_beside() != STATUS_DONE)
		warn("the old kernel side still decides beside the new one, until the next change of the policy removes it");
	return STATUS_DONE;
}
