/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * identify: prints which rules a program or a process has, and why.
 */
#include <stdio.h>
#include <string.h>

#include "enforce/base/output.h"
#include "enforce/kernel/entries.h"
#include "enforce/kernel/live.h"
#include "enforce/kernel/locked.h"
#include "enforce/kernel/processes.h"
#include "enforce/verbs/subject.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/port.h"

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

#define NAMED "matched: a rule names this file"

/* Returns what the process has been since it was executed. `entry` is what its file is by its present name. */
static uint32_t judge_process(const struct kernel *kernel, struct subject *subject, const struct identity *identity, uint32_t entry)
{
	uint32_t number = executed_binary(kernel, subject->fd, identity);

	process_find(kernel, subject->pid, &number);
	if (number != BINARY_ANY)
		subject_why(subject,
			    number == entry ? NAMED : "matched: it was executed by a name that a rule gives; its file has another now");
	else if (entry != BINARY_ANY)
		subject_note(subject, "a rule gives the name that its file has now, but it was executed by another");
	return number;
}

/* Returns the number by which rules name `identity`, or BINARY_ANY, and notes why. */
static uint32_t judge(const struct kernel *kernel, struct subject *subject, const struct identity *identity)
{
	const char *problem = identity_problem(identity);
	int64_t number;

	if (problem) {
		subject_note(subject, "it %s", problem);
		return BINARY_ANY;
	}
	number = subject->missing ? entry_find(kernel, identity, subject->name) : identity->binary;
	if (locked_is_set())
		subject_note(subject, subject->missing ? "as the policy is locked, it can't be told whether a rule names what isn't there" :
							 "as the policy is locked, only the name that the file has now is looked at");
	if (subject->pid)
		return judge_process(kernel, subject, identity, number > 0 ? (uint32_t)number : BINARY_ANY);
	if (number <= 0)
		return BINARY_ANY;
	subject_why(subject, NAMED);
	return (uint32_t)number;
}

static void print_rule(struct output *output, const struct policy *policy, const struct rule *rule)
{
	char port[PORT_TEXT_MAX], uid[16];

	snprintf(uid, sizeof(uid), "%u", rule->uid);
	output_open_object(output, NULL);
	output_text(output, "section", "SECTION", rule->section);
	output_text(output, "binary", "BINARY", policy->binaries[rule->binary].path);
	output_text(output, NULL, "USER", rule_unknown_user(policy, rule) ?: rule->has_uid ? uid : "any");
	output_coloured(output, "verdict", "VERDICT", ini_verdict_words[rule->verdict],
			rule->verdict == VERDICT_DENY ? COLOUR_BAD : COLOUR_GOOD);
	output_text(output, "ports", "PORTS", port_format(&rule->port, port));
	if (rule->has_uid && !rule->unknown_user)
		output_number(output, "uid", NULL, rule->uid);
	output_close(output);
}

/* Prints the rules of the binary, then those for any, in the order in which they decide. */
static void print_rules(struct output *output, const struct policy *policy, uint32_t number)
{
	output_open_table(output, "rules");
	for (size_t i = 0; i < policy->rule_count; i++)
		if (number && policy->binaries[policy->rules[i].binary].number == number)
			print_rule(output, policy, &policy->rules[i]);
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->binaries[policy->rules[i].binary].number == BINARY_ANY)
			print_rule(output, policy, &policy->rules[i]);
	output_close(output);
}

static bool has_rules(const struct policy *policy, uint32_t number)
{
	for (size_t i = 0; i < policy->rule_count && number; i++)
		if (policy->binaries[policy->rules[i].binary].number == number)
			return true;
	return false;
}

static void print_notes(struct output *output, const struct subject *subject)
{
	output_open_array(output, "notes");
	for (size_t i = 0; i < subject->note_count; i++) {
		output_text(output, NULL, NULL, subject->notes[i]);
		output_text(output, NULL, "note", subject->notes[i]);
	}
	output_close(output);
}

static void print_subject(struct output *output, const struct subject *subject, const struct policy *policy, const char *binary,
			  uint32_t number)
{
	output_open_object(output, NULL);
	output_number(output, "schema", NULL, 1);
	if (subject->pid)
		output_number(output, "pid", "process", subject->pid);
	if (subject->comm)
		output_text(output, "comm", "comm", subject->comm);
	if (subject->has_uid)
		output_number(output, "uid", "user", subject->uid);
	output_text(output, "file", "file", subject->file);
	output_text(output, "binary", "binary", binary);
	output_text(output, "why", "why",
		    has_rules(policy, number) ? subject->why : "no rule names it: rules for any binary apply, then the default");
	print_notes(output, subject);
	output_text(output, "default", "default", ini_verdict_words[policy->verdict]);
	if (!output->json && policy->rule_count)
		puts("");
	print_rules(output, policy, number);
	output_close(output);
	output_end(output);
}

static enum status identify(const struct kernel *kernel, struct subject *subject, bool json)
{
	_cleanup_identity_ struct identity identity = { 0 };
	_cleanup_policy_ struct policy policy = POLICY_INIT;
	_cleanup_free_ char *binary = NULL;
	uint32_t number = BINARY_ANY;
	struct output output;
	int error = subject->fd < 0 ? 0 : identify_files(kernel, &subject->fd, &identity, 1);

	if (error)
		return fail(STATUS_FAILED, "can't identify it: %s", strerror(-error));
	TRY(live_read_image(kernel, &policy));
	if (subject->fd >= 0)
		number = judge(kernel, subject, &identity);
	if (identity.flags & FILE_UNLINKED && !(identity.flags & FILE_IS_DIRECTORY))
		subject_note_unlinked(subject);
	binary = identified_path(kernel, number);
	output_start(&output, stdout, json);
	print_subject(&output, subject, &policy, binary, number);
	return STATUS_DONE;
}

enum status verb_identify(const struct invocation *invocation)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	_cleanup_subject_ struct subject subject = SUBJECT_INIT;
	const char *what = invocation->arguments[0];

	/* For writing: the kernel side may have to be told about btrfs. */
	TRY(kernel_open(&kernel, !locked_or_frozen(), false));
	TRY(is_number(what) ? subject_process(&subject, what) : subject_path(&subject, what));
	return identify(&kernel, &subject, invocation->given[OPTION_JSON]);
}
