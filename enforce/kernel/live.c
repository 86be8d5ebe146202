/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Turns images into policies and back, and does in the right order what a new policy needs before it is in force.
 */
#include "enforce/kernel/live.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/base/when.h"
#include "enforce/kernel/binaries.h"
#include "enforce/kernel/entries.h"
#include "enforce/kernel/image_store.h"
#include "enforce/kernel/ports.h"
#include "enforce/kernel/windows.h"
#include "policy/cleanup.h"
#include "policy/image.h"

static int read_image(const struct kernel *kernel, __u32 slot, struct policy *policy)
{
	_cleanup_free_ struct policy_page *pages = NULL;
	uint32_t count = 0;
	int error = image_read_slot(kernel, slot, &pages, &count);

	return error ? error : image_read(pages, count, policy);
}

static enum status read_slot(const struct kernel *kernel, __u32 slot, struct policy *policy)
{
	int error = read_image(kernel, slot, policy);

	policy_drop_ended(policy, (uint64_t)when_now().boot);
	if (error)
		return fail(STATUS_FAILED, "can't read the policy %s: %s", slot == SLOT_BEFORE ? "that was in force" : "in force",
			    strerror(-error));
	return STATUS_DONE;
}

enum status live_read_image(const struct kernel *kernel, struct policy *policy)
{
	return read_slot(kernel, SLOT_IN_FORCE, policy);
}

enum status live_image_in_force(const struct kernel *kernel, struct image *image)
{
	uint32_t count = 0;
	int error = image_read_slot(kernel, SLOT_IN_FORCE, &image->pages, &count);

	image->count = count;
	if (!error && image_is_valid(image->pages, count))
		return STATUS_DONE;
	image_clear(image);
	return fail(STATUS_FAILED, "can't read the policy in force: %s", strerror(error ? -error : EPROTO));
}

enum status live_read(const struct kernel *kernel, struct policy *policy)
{
	enum status status = live_read_image(kernel, policy);

	if (status != STATUS_DONE)
		return status;
	for (size_t i = 0; i < policy->binary_count; i++)
		if (!policy->binaries[i].waits)
			policy->binaries[i].resolved = identified_path(kernel, policy->binaries[i].number);
	return STATUS_DONE;
}

void live_take_counters(const struct policy *policy, bool *taken)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].counter < RULE_COUNTERS)
			taken[policy->rules[i].counter] = true;
}

bool *live_counters(const struct policy *policy)
{
	bool *taken = must(calloc(RULE_COUNTERS, sizeof(*taken)));

	live_take_counters(policy, taken);
	return taken;
}

/* Gives counters that aren't taken, and sets them to zero, to the rules that have none. Returns 0 or -errno. */
static int give_counters(const struct kernel *kernel, struct policy *policy, bool *taken)
{
	_cleanup_free_ __u32 *fresh = calloc(policy->rule_count + 1, sizeof(*fresh));
	_cleanup_free_ struct rule_counter *zeros = calloc(policy->rule_count + 1, sizeof(*zeros));
	__u32 count = 0, next = 0;

	if (!fresh || !zeros)
		return -ENOMEM;
	for (size_t i = 0; i < policy->rule_count; i++) {
		if (policy->rules[i].counter != COUNTER_NONE)
			continue;
		while (next < RULE_COUNTERS && taken[next])
			next++;
		if (next == RULE_COUNTERS)
			return -ENOSPC;
		taken[next] = true;
		fresh[count++] = policy->rules[i].counter = next;
	}
	if (count && bpf_map_update_batch(kernel->fd[MAP_RULE_COUNTERS], fresh, zeros, &count, NULL))
		return -errno;
	return 0;
}

/* Puts `policy` into a slot, under the next generation. Returns 0 or -errno; the generation is as before then. */
static int build_and_put(const struct kernel *kernel, __u32 slot, struct policy *policy)
{
	struct image image = { 0 };
	int error;

	policy->generation++;
	error = image_build(policy, &image);
	if (!error)
		error = image_put(kernel, slot, &image);
	if (error)
		policy->generation--;
	image_clear(&image);
	return error;
}

static enum status check_temporaries(const struct policy *policy)
{
	size_t count = policy_temporaries(policy);

	if (count <= MAX_TEMPORARIES)
		return STATUS_DONE;
	return fail(STATUS_FAILED, "%zu temporary rules, and %d is the most; use ranges of ports, or rules that last", count,
		    MAX_TEMPORARIES);
}

/* Gives numbers to all binaries but those that no rule can name now, which wait. */
static enum status number_what_can(const struct kernel *kernel, struct policy *policy)
{
	_cleanup_free_ char **problems = must(calloc(policy->binary_count + 1, sizeof(*problems)));
	enum status status = give_binaries(kernel, policy, problems);

	for (size_t i = 0; i < policy->binary_count; i++) {
		struct binary *binary = &policy->binaries[i];

		if (!problems[i])
			continue;
		if (binary->file)
			warn("%s:%u: %s; the rule waits", binary->file, binary->line, problems[i]);
		else
			warn("%s; the rule waits", problems[i]);
		binary->waits = true;
		free(problems[i]);
	}
	/* Those need a number, too. */
	return status == STATUS_DONE ? give_binaries(kernel, policy, NULL) : status;
}

enum status live_number(const struct kernel *kernel, struct policy *policy, bool all)
{
	enum status status;

	if (policy->rule_count > MAX_RULES)
		return fail(STATUS_FAILED, "more than %d rules; use ranges of ports, or `any`", MAX_RULES);
	policy_normalise(policy); /* puts the binaries of one directory side by side */
	status = all ? give_binaries(kernel, policy, NULL) : number_what_can(kernel, policy);
	if (status != STATUS_DONE)
		return status;
	policy_unify(policy);
	policy_normalise(policy);
	return check_temporaries(policy);
}

enum status live_publish(struct kernel *kernel, struct policy *policy, bool *taken)
{
	int error = give_counters(kernel, policy, taken) ?: ports_reserve(kernel, policy) ?: build_and_put(kernel, SLOT_LOADED, policy);

	if (error)
		return fail(STATUS_FAILED, "can't put the policy in force: %s; the old one stays", strerror(-error));
	/* A `lock` that was killed before it locked anything has left this set. */
	kernel->control->locked = 0;
	/* No gate is shut yet under the new policy. */
	*(volatile __u64 *)&kernel->state->gates = 0;
	/* Windows of the policy before are kept under its generation: no denial comes any more that would end them. */
	windows_close(kernel, 0);
	return STATUS_DONE;
}

enum status live_prepare_trial(const struct kernel *kernel, struct policy *before)
{
	/* Put the same image there once more: this waits for decisions that still use it because of an earlier trial. */
	__u32 there;
	int error = image_id(kernel, SLOT_BEFORE, &there);

	if (!error && there)
		error = image_copy_slot(kernel, SLOT_BEFORE, SLOT_BEFORE);
	if (!error)
		error = build_and_put(kernel, SLOT_BEFORE, before);
	if (error)
		return fail(STATUS_FAILED, "can't keep the policy in force, to go back to: %s; it stays", strerror(-error));
	return STATUS_DONE;
}

enum status live_read_before(const struct kernel *kernel, struct policy *policy)
{
	return read_slot(kernel, SLOT_BEFORE, policy);
}

enum status live_image(const struct policy *policy, struct image *image)
{
	int error = image_build(policy, image);

	return error ? fail(STATUS_FAILED, "can't judge the policy in force: %s", strerror(-error)) : STATUS_DONE;
}
