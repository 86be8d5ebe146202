/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * upgrade: replaces the kernel side of an older sockaccept-ctl by this one's, with the policy that is in force.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/base/when.h"
#include "enforce/change/change_lock.h"
#include "enforce/change/diagnostics_print.h"
#include "enforce/change/take_effect.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/live.h"
#include "enforce/kernel/locked.h"
#include "enforce/kernel/take_over.h"
#include "enforce/kernel/trial_word.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"
#include "policy/resolve.h"
#include "policy/source.h"
#include "policy/text.h"

/* Opens the pinned `object` of another version, if it has one. */
static enum status open_pinned(struct kernel *kernel, enum kernel_object object)
{
	char path[PIN_PATH_MAX];

	kernel->fd[object] = bpf_obj_get(pin_path(object, path, sizeof(path)));
	if (kernel->fd[object] < 0 && errno != ENOENT)
		return fail(STATUS_FAILED, "%s: %s; the old kernel side stays", path, strerror(errno));
	return STATUS_DONE;
}

/* Refuses while the policy is on trial. One whose trial is over is read as what the trial fell back to. */
static enum status refuse_trial(struct kernel *kernel)
{
	uint64_t left;

	if (kernel->fd[MAP_CONTROL] < 0)
		return STATUS_DONE;
	if (kernel_map(kernel, MAP_CONTROL, false))
		return fail(STATUS_FAILED,
			    "can't tell whether the policy is on trial; the old kernel side stays: run: sockaccept-ctl unload, then load");
	if (trial_now(kernel, &left) != TRIAL_IS_PENDING)
		return STATUS_DONE;
	return fail(STATUS_FAILED,
		    "the policy is on trial for another %" PRIu64 " s, and the old kernel side stays; confirm it, or wait, and run "
		    "this again then",
		    seconds_up(left));
}

/* Opens what this version can read of another version's kernel side. */
static enum status open_predecessor(struct kernel *kernel)
{
	static const enum kernel_object readable[] = { MAP_CONTROL,     MAP_STATE,   MAP_EVENTS,       MAP_POLICY,
						       MAP_EXECUTABLES, MAP_ENTRIES, PROGRAM_IDENTIFY, PROGRAM_PROCESSES };

	for (size_t i = 0; i < sizeof(readable) / sizeof(readable[0]); i++)
		TRY(open_pinned(kernel, readable[i]));
	if (kernel->fd[MAP_POLICY] < 0)
		return fail(STATUS_FAILED, "the old kernel side has no policy; run: sockaccept-ctl unload, then load");
	TRY(refuse_trial(kernel));
	if (kernel_map(kernel, MAP_STATE, false))
		return fail(STATUS_FAILED, "can't read the state of the old kernel side, which stays");
	return STATUS_DONE;
}

static enum status read_policy_in_force(const struct kernel *kernel, struct policy *policy)
{
	TRY(live_read_image(kernel, policy));
	if (kernel->fd[MAP_EVENTS] >= 0 && kernel_events(kernel))
		policy->events = kernel_events(kernel);
	return STATUS_DONE;
}

/* Removes the numbers, counters and resolved paths, which are the old kernel side's. Returns the numbers, to be freed. */
static uint32_t *forget_numbers(struct policy *policy)
{
	uint32_t *numbers = must(calloc(policy->binary_count + 1, sizeof(*numbers)));

	for (size_t i = 0; i < policy->binary_count; i++) {
		free(policy->binaries[i].resolved);
		policy->binaries[i].resolved = NULL;
		numbers[i] = policy->binaries[i].number;
		policy->binaries[i].number = BINARY_ANY;
	}
	for (size_t i = 0; i < policy->rule_count; i++)
		policy->rules[i].counter = COUNTER_NONE;
	return numbers;
}

/* The policy was valid once, so a path that leads nowhere by now only makes its rules wait, as at boot. */
static void resolve(struct policy *policy)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics = { 0 };

	resolve_policy(policy, READ_AT_BOOT, &diagnostics);
	diagnostics_print(&diagnostics);
}

/* Asks the threads again that began to wait under the old kernel side. */
static void ask_those_before(const struct kernel *kernel)
{
	take_effect_and_warn(kernel, false);
}

static void clear_predecessor(struct predecessor *old)
{
	free(old->numbers);
	kernel_close(&old->kernel);
}
#define _cleanup_predecessor_ __attribute__((cleanup(clear_predecessor)))

static enum status upgrade_from(uint64_t layout)
{
	_cleanup_predecessor_ struct predecessor old = { .kernel = KERNEL_INIT };
	_cleanup_policy_ struct policy policy = POLICY_INIT;

	TRY(open_predecessor(&old.kernel));
	TRY(read_policy_in_force(&old.kernel, &policy));
	old.numbers = forget_numbers(&policy);
	resolve(&policy);
	TRY(take_over(&policy, &old, ask_those_before));
	printf("Taken over from layout %" PRIu64 " to %d: %zu rule%s, generation %" PRIu64 ". Counters and events begin anew.\n", layout,
	       SOCKACCEPT_LAYOUT, policy.rule_count, policy.rule_count == 1 ? "" : "s", policy.generation);
	return STATUS_DONE;
}

enum status verb_upgrade(const struct invocation *invocation)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	_cleanup_close_ int lock = -1;
	uint64_t layout = 0;

	(void)invocation;
	TRY(change_begin(&lock));
	TRY(kernel_is_loaded(false));
	TRY(kernel_layout(&layout));
	if (layout < SOCKACCEPT_LAYOUT) {
		TRY(kernel_refuse_locked());
		return upgrade_from(layout);
	}
	/* Refuses a newer one, as everywhere. */
	TRY(kernel_open(&kernel, false, false));
	if (locked_has_frozen())
		return upgrade_from(layout);
	puts("Nothing to do: the kernel side is this version's.");
	return STATUS_DONE;
}
