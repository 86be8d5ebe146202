/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * confirm: a policy that is on trial stays.
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

/* The generation of the policy in force. */
static enum status read_generation(const struct kernel *kernel, uint64_t *generation)
{
	struct policy policy;
	enum status status;

	policy_init(&policy);
	status = live_read_image(kernel, &policy);
	*generation = policy.generation;
	policy_clear(&policy);
	return status;
}

/* The policy before it is put in its ordinary place, and its generation told. */
static enum status too_late(const struct kernel *kernel)
{
	uint64_t generation = 0;
	enum status status = trial_settle(kernel);

	if (status == STATUS_DONE)
		status = read_generation(kernel, &generation);
	if (status != STATUS_DONE)
		return status;
	return fail(STATUS_FAILED, "too late: the time was up, and the policy before is in force again, as generation %" PRIu64
		    "; load it once more, and confirm it in time", generation);
}

static enum status refuse_nothing(void)
{
	return fail(STATUS_FAILED, "no policy is on trial, so there is nothing to confirm; a trial begins with: sockaccept-ctl load "
		    "--confirm SECONDS");
}

static void stay(const struct kernel *kernel, const struct policy *policy)
{
	kernel->state->last_good = false;
	last_good_confirm();
	printf("Confirmed: generation %" PRIu64 " stays.\n", policy->generation);
	boot_files_remark(policy);
}

static enum status confirm(const struct kernel *kernel)
{
	struct policy policy;
	enum status status;
	uint64_t left;

	if (trial_now(kernel, &left) == TRIAL_IS_NONE)
		return refuse_nothing();
	policy_init(&policy);
	/* Whatever can fail comes before the word that decides. */
	status = live_read(kernel, &policy);
	if (status == STATUS_DONE && !trial_confirm(kernel))
		status = too_late(kernel);
	else if (status == STATUS_DONE)
		stay(kernel, &policy);
	policy_clear(&policy);
	return status;
}

/* Of another version's kernel side the word that decides is known. */
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
	enum status status = change_begin(&lock);
	uint64_t layout = SOCKACCEPT_LAYOUT;

	(void)invocation;
	if (status == STATUS_DONE)
		status = kernel_is_loaded(false);
	if (status == STATUS_DONE)
		status = kernel_layout(&layout);
	if (status == STATUS_DONE && layout < SOCKACCEPT_LAYOUT)
		return confirm_older();
	if (status == STATUS_DONE)
		status = kernel_open(&kernel, true, false);
	return status == STATUS_DONE ? confirm(&kernel) : status;
}
