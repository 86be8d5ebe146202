/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * confirm: keeps the policy that is on trial.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "enforce/change/boot_files.h"
#include "enforce/change/change_lock.h"
#include "enforce/change/last_good.h"
#include "enforce/change/trial.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/live.h"
#include "enforce/kernel/take_over.h"
#include "enforce/kernel/trial_word.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"

/* Sets *generation to that of the policy in force. */
static enum status read_generation(const struct kernel *kernel, uint64_t *generation)
{
	_cleanup_policy_ struct policy policy = POLICY_INIT;

	TRY(live_read_image(kernel, &policy));
	*generation = policy.generation;
	return STATUS_DONE;
}

/* Puts the policy that the trial fell back to in its ordinary place, and prints its generation. */
static enum status too_late(const struct kernel *kernel)
{
	uint64_t generation = 0;

	TRY(trial_settle(kernel));
	TRY(read_generation(kernel, &generation));
	return fail(STATUS_FAILED,
		    "too late: the time was up, and the policy before is in force again, as generation %" PRIu64
		    "; load it once more, and confirm it in time",
		    generation);
}

static enum status refuse_nothing(void)
{
	return fail(STATUS_FAILED, "no policy is on trial, so there is nothing to confirm; a trial begins with: sockaccept-ctl load "
				   "--confirm SECONDS");
}

static enum status confirm(const struct kernel *kernel)
{
	_cleanup_policy_ struct policy policy = POLICY_INIT;
	uint64_t left;

	if (trial_now(kernel, &left) == TRIAL_IS_NONE)
		return refuse_nothing();
	/* Whatever can fail comes before the trial word is changed. */
	TRY(live_read(kernel, &policy));
	if (!trial_confirm(kernel))
		return too_late(kernel);
	kernel->state->last_good = false;
	last_good_confirm();
	printf("Confirmed: generation %" PRIu64 " stays.\n", policy.generation);
	boot_files_remark(&policy);
	return STATUS_DONE;
}

/* Confirms the policy of an older version's kernel side: every version has the same trial word. */
static enum status confirm_older(void)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	char path[PIN_PATH_MAX];
	uint64_t left;

	kernel.fd[MAP_CONTROL] = bpf_obj_get(pin_path(MAP_CONTROL, path, sizeof(path)));
	if (kernel.fd[MAP_CONTROL] < 0 || kernel_map(&kernel, MAP_CONTROL, true))
		return fail(STATUS_FAILED, "%s: %s", path, strerror(errno));
	if (trial_now(&kernel, &left) == TRIAL_IS_NONE)
		return refuse_nothing();
	if (!trial_confirm(&kernel))
		return fail(STATUS_FAILED, "too late: the time was up, and the policy before is in force again");
	last_good_confirm();
	puts("Confirmed: the policy stays. An older sockaccept-ctl has loaded it; take it over: sockaccept-ctl upgrade");
	return STATUS_DONE;
}

enum status verb_confirm(const struct invocation *invocation)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	_cleanup_close_ int lock = -1;
	uint64_t layout = SOCKACCEPT_LAYOUT;

	(void)invocation;
	TRY(change_begin(&lock));
	TRY(kernel_is_loaded(false));
	TRY(kernel_layout(&layout));
	if (layout < SOCKACCEPT_LAYOUT)
		return confirm_older();
	TRY(kernel_open(&kernel, true, false));
	return confirm(&kernel);
}
