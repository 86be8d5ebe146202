/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * refresh: the live rules stand for what their paths lead to now.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/live.h"
#include "enforce/moved.h"
#include "enforce/output.h"
#include "enforce/verb.h"
#include "policy/cleanup.h"

/* What a binary stood for before. */
struct before {
	uint32_t number;
	char *resolved;
};

static void print_change(const struct binary *binary, const struct before *before)
{
	struct output output;

	output_start(&output, stdout, false);
	output_paint(&output, binary->path, COLOUR_NONE);
	if (before->resolved && !strcmp(before->resolved, binary->resolved)) {
		puts(": its directory was replaced; its rules stand for the new one");
		return;
	}
	fputs(" stands for ", stdout);
	output_paint(&output, binary->resolved, COLOUR_NONE);
	fputs(", no longer for ", stdout);
	output_paint(&output, before->resolved ? before->resolved : "what is not known", COLOUR_NONE);
	puts("");
}

static void report(const struct policy *policy, const struct before *before, char *const *problems, bool *changed)
{
	for (size_t i = 0; i < policy->binary_count; i++) {
		const struct binary *binary = &policy->binaries[i];

		if (problems[i]) {
			warn("%s; its rules go on standing for %s", problems[i], binary->resolved ?: binary->path);
		} else if (binary->number != before[i].number) {
			*changed = true;
			print_change(binary, &before[i]);
		}
	}
}

static enum status resolve_anew(struct kernel *kernel, struct policy *policy, const void *edit, bool *changed)
{
	_cleanup_free_ struct before *before = must(calloc(policy->binary_count + 1, sizeof(*before)));
	_cleanup_free_ char **problems = must(calloc(policy->binary_count + 1, sizeof(*problems)));
	enum status status;

	(void)edit;
	for (size_t i = 0; i < policy->binary_count; i++) {
		before[i].number = policy->binaries[i].number;
		if (policy->binaries[i].resolved)
			before[i].resolved = must(strdup(policy->binaries[i].resolved));
	}
	moved_resolve(policy, problems);
	status = give_binaries(kernel, policy);
	if (status == STATUS_DONE)
		report(policy, before, problems, changed);
	for (size_t i = 0; i < policy->binary_count; i++) {
		free(before[i].resolved);
		free(problems[i]);
	}
	return status;
}

enum status verb_refresh(const struct invocation *invocation)
{
	uint64_t generation = 0;
	bool changed = false;
	enum status status;

	(void)invocation;
	status = live_change(resolve_anew, NULL, &generation, &changed);
	if (status == STATUS_DONE && changed)
		printf("Done: generation %" PRIu64 ".\n", generation);
	else if (status == STATUS_DONE)
		puts("Nothing to do: each path leads where it did.");
	return status;
}
