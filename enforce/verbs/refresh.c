/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * refresh: makes the live rules stand for what their paths lead to now.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/base/output.h"
#include "enforce/change/edit.h"
#include "enforce/kernel/binaries.h"
#include "enforce/kernel/live.h"
#include "enforce/kernel/moved.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"
#include "policy/text.h"
#include "policy/user.h"

/* What a binary stood for before. */
struct before {
	uint32_t number;
	char *resolved;
	bool waits;
};

/* What to print once the new policy is in force: what changed, and what still waits. */
struct report {
	char **lines;
	size_t count, changes;
	size_t waiting;
	size_t kept; /* paths that can't be resolved now: their rules stand for what they stood for */
};

static void add_line(struct report *report, char *line)
{
	report->lines = must(reallocarray(report->lines, report->count + 1, sizeof(*report->lines)));
	report->lines[report->count++] = line;
}

static void add_change(struct report *report, char *line)
{
	report->changes++;
	add_line(report, line);
}

static char *describe(const struct binary *binary, const struct before *before)
{
	if (before->waits)
		return text_format("%s is there by now; its rules stand for %s", binary->path, binary->resolved);
	if (before->resolved && !strcmp(before->resolved, binary->resolved))
		return text_format("%s: its directory was replaced; its rules stand for the new one", binary->path);
	return text_format("%s stands for %s, no longer for %s", binary->path, binary->resolved,
			   before->resolved ? before->resolved : "what is not known");
}

/* Keeps what can't be resolved as it was. */
static void keep(struct binary *binary, struct before *before, const char *problem, struct report *report)
{
	free(binary->resolved);
	binary->resolved = TAKE_PTR(before->resolved);
	binary->number = before->number;
	binary->waits = before->waits;
	if (binary->waits)
		return;
	report->kept++;
	warn("%s; its rules go on standing for %s", problem, binary->resolved ? binary->resolved : binary->path);
}

static void compare(struct policy *policy, struct before *before, char *const *problems, struct report *report)
{
	for (size_t i = 0; i < policy->binary_count; i++) {
		struct binary *binary = &policy->binaries[i];

		if (problems[i])
			keep(binary, &before[i], problems[i], report);
		else if (binary->number != before[i].number)
			add_change(report, describe(binary, &before[i]));
	}
}

/* Gives rules whose users weren't known the ids of those users that are known by now. */
static void look_up_users(struct policy *policy, struct report *report)
{
	_cleanup_free_ uint32_t *uids = must(calloc(policy->unknown_user_count + 1, sizeof(*uids)));
	struct user_cache users = { 0 };

	for (size_t i = 0; i < policy->unknown_user_count; i++) {
		_cleanup_free_ char *problem = user_read(&users, policy->unknown_users[i], &uids[i]);

		if (problem)
			uids[i] = UID_NONE;
		else
			add_change(report, text_format("the user '%s' is known by now; its rules stand for the id %" PRIu32,
						       policy->unknown_users[i], uids[i]));
	}
	for (size_t i = 0; i < policy->rule_count; i++) {
		struct rule *rule = &policy->rules[i];

		if (!rule->unknown_user || uids[rule->unknown_user - 1] == UID_NONE)
			continue;
		rule->uid = uids[rule->unknown_user - 1];
		rule->unknown_user = 0;
	}
	user_cache_clear(&users);
}

static void report_waiting(const struct policy *policy, char *const *problems, struct report *report)
{
	struct waiting waiting = { 0 };

	waiting_find(policy, problems, &waiting);
	for (size_t i = 0; i < waiting.count; i++) {
		if (report->waiting++ >= WAITING_SHOWN)
			continue;
		add_line(report, text_format("%s waits: %s", policy->binaries[waiting.list[i].binary].path, waiting.list[i].why));
	}
	if (report->waiting > WAITING_SHOWN)
		add_line(report, text_format("%zu more wait; see: sockaccept-ctl status --json", report->waiting - WAITING_SHOWN));
	waiting_clear(&waiting);
}

static enum status resolve_anew(struct kernel *kernel, struct policy *policy, void *data, bool *changed)
{
	_cleanup_free_ struct before *before = must(calloc(policy->binary_count + 1, sizeof(*before)));
	_cleanup_free_ char **problems = must(calloc(policy->binary_count + 1, sizeof(*problems)));
	struct report *report = data;
	enum status status;

	for (size_t i = 0; i < policy->binary_count; i++) {
		before[i].number = policy->binaries[i].number;
		before[i].waits = policy->binaries[i].waits;
		if (policy->binaries[i].resolved)
			before[i].resolved = must(strdup(policy->binaries[i].resolved));
	}
	moved_resolve(policy, problems);
	status = give_binaries(kernel, policy, problems);
	if (status == STATUS_DONE) {
		compare(policy, before, problems, report);
		look_up_users(policy, report);
		report_waiting(policy, problems, report);
	}
	*changed = report->changes;
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

static void print_end(const struct report *report, bool changed, uint64_t generation)
{
	if (changed)
		printf("Done: generation %" PRIu64 ".\n", generation);
	else if (report->waiting)
		puts("Nothing to do yet: what waits isn't there, and each other path leads where it did.");
	else if (report->kept)
		printf("Nothing to do for %zu path%s, as warned; each other path leads where it did.\n", report->kept,
		       report->kept == 1 ? "" : "s");
	else
		puts("Nothing to do: each path leads where it did.");
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
	/* The policy says the same as before, whoever that denies. */
	const struct policy_edit change = { .change = resolve_anew, .data = &report, .force = true };
	uint64_t generation = 0;
	bool changed = false;
	enum status status;

	(void)invocation;
	status = edit_policy(&change, &generation, &changed);
	if (status == STATUS_DONE) {
		print_report(&report);
		print_end(&report, changed, generation);
	}
	clear_report(&report);
	return status;
}
