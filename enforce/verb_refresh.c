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
#include "policy/text.h"

/* What a binary stood for before. */
struct before {
	uint32_t number;
	char *resolved;
};

/* What to tell when the new policy is in force. */
struct report {
	char **lines;
	size_t count;
};

static void add_line(struct report *report, char *line)
{
	report->lines = must(reallocarray(report->lines, report->count + 1, sizeof(*report->lines)));
	report->lines[report->count++] = line;
}

static char *describe(const struct binary *binary, const struct before *before)
{
	if (before->resolved && !strcmp(before->resolved, binary->resolved))
		return text_format("%s: its directory was replaced; its rules stand for the new one", binary->path);
	return text_format("%s stands for %s, no longer for %s", binary->path, binary->resolved,
			   before->resolved ? before->resolved : "what is not known");
}

/* What can't be resolved stays as it was. */
static void keep(struct binary *binary, struct before *before, const char *problem)
{
	free(binary->resolved);
	binary->resolved = TAKE_PTR(before->resolved);
	binary->number = before->number;
	warn("%s; its rules go on standing for %s", problem, binary->resolved ? binary->resolved : binary->path);
}

static void compare(struct policy *policy, struct before *before, char *const *problems, struct report *report)
{
	for (size_t i = 0; i < policy->binary_count; i++) {
		struct binary *binary = &policy->binaries[i];

		if (problems[i])
			keep(binary, &before[i], problems[i]);
		else if (binary->number != before[i].number)
			add_line(report, describe(binary, &before[i]));
	}
}

static enum status resolve_anew(struct kernel *kernel, struct policy *policy, void *data, bool *changed)
{
	_cleanup_free_ struct before *before = must(calloc(policy->binary_count + 1, sizeof(*before)));
	_cleanup_free_ char **problems = must(calloc(policy->binary_count + 1, sizeof(*problems)));
	struct report *report = data;
	enum status status;

	for (size_t i = 0; i < policy->binary_count; i++) {
		before[i].number = policy->binaries[i].number;
		if (policy->binaries[i].resolved)
			before[i].resolved = must(strdup(policy->binaries[i].resolved));
	}
	moved_resolve(policy, problems);
	status = give_binaries(kernel, policy, problems);
	if (status == STATUS_DONE)
		compare(policy, before, problems, report);
	*changed = report->count;
	for (size_t i = 0; i < policy->binary_count; i++) {
		free(before[i].resolved);
		free(problems[i]);
	}
	return status;
}

static void print_report(const struct report *report)
{
	struct output output;

	output_start(&output, stdout, false);
	for (size_t i = 0; i < report->count; i++) {
		output_paint(&output, report->lines[i], COLOUR_NONE);
		puts("");
	}
}

static void clear_report(struct report *report)
{
	for (size_t i = 0; i < report->count; i++)
		free(report->lines[i]);
	free(report->lines);
}

enum status verb_refresh(const struct invocation *invocation)
{
	struct report report = { 0 };
	/* What its rules stand for is the same, whoever is denied by that. */
	const struct live_edit change = { .change = resolve_anew, .data = &report, .force = true };
	uint64_t generation = 0;
	bool changed = false;
	enum status status;

	(void)invocation;
	status = live_change(&change, &generation, &changed);
	if (status == STATUS_DONE)
		print_report(&report);
	clear_report(&report);
	if (status == STATUS_DONE && changed)
		printf("Done: generation %" PRIu64 ".\n", generation);
	else if (status == STATUS_DONE)
		puts("Nothing to do: each path leads where it did.");
	return status;
}
