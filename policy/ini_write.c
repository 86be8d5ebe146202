/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes a policy as a file.
 */
#include "policy/ini.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/shared/event.h"
#include "policy/cleanup.h"
#include "policy/compare.h"
#include "policy/port.h"

/* How wide a line with a list of ports may become. inih takes more, but people read this. */
#define LINE_WIDTH 76

/* Sorts by binary, in the order of the policy, and puts rules of one section side by side. */
static int compare_sections(const struct rule *a, const struct rule *b)
{
	COMPARE(a->binary, b->binary);
	if (strcmp(a->section, b->section) != 0)
		return strcmp(a->section, b->section);
	COMPARE(a->has_uid, b->has_uid);
	if (a->has_uid)
		COMPARE(a->uid, b->uid);
	COMPARE(a->unknown_user, b->unknown_user);
	return 0;
}

static int compare_rules(const void *a, const void *b)
{
	const struct rule *const *x = a, *const *y = b;
	int order = compare_sections(*x, *y);

	return order ? order : (*x > *y) - (*x < *y);
}

/* Writes the ports of the rules with this verdict, in as many lines as they need. */
static void write_ports(const struct rule *const *rules, size_t count, uint8_t verdict, FILE *stream)
{
	char text[PORT_TEXT_MAX];
	int column = 0;

	for (size_t i = 0; i < count; i++) {
		if (rules[i]->verdict != verdict)
			continue;
		port_format(&rules[i]->port, text);
		if (column && column + 2 + (int)strlen(text) > LINE_WIDTH) {
			fputc('\n', stream);
			column = 0;
		}
		if (column)
			column += fprintf(stream, ", %s", text);
		else
			column = fprintf(stream, "%-6s = %s", ini_verdict_words[verdict], text);
	}
	if (column)
		fputc('\n', stream);
}

static int write_section(const struct policy *policy, const struct rule *const *rules, size_t count, FILE *stream)
{
	const struct rule *first = rules[0];
	const char *path = policy->binaries[first->binary].path;
	_cleanup_free_ char *problem = ini_check_path(path);

	if (problem || ini_check_section(first->section) || strcmp(first->section, SETTINGS_SECTION) == 0)
		return -EINVAL;
	fprintf(stream, "\n[%s]\nbinary = %s\n", first->section, path);
	if (first->unknown_user)
		fprintf(stream, "user   = %s\n", rule_unknown_user(policy, first));
	else if (first->has_uid)
		fprintf(stream, "user   = %u\n", first->uid);
	write_ports(rules, count, VERDICT_ALLOW, stream);
	write_ports(rules, count, VERDICT_DENY, stream);
	write_ports(rules, count, VERDICT_LISTEN, stream);
	return 0;
}

static int write_rules(const struct policy *policy, FILE *stream)
{
	_cleanup_free_ const struct rule **rules = must(calloc(policy->rule_count + 1, sizeof(*rules)));
	size_t count = 0, end;

	/* A file has no temporary rules. */
	for (size_t i = 0; i < policy->rule_count; i++)
		if (!policy->rules[i].until)
			rules[count++] = &policy->rules[i];
	qsort(rules, count, sizeof(*rules), compare_rules);
	for (size_t i = 0; i < count; i = end) {
		int error;

		for (end = i + 1; end < count && compare_sections(rules[i], rules[end]) == 0;)
			end++;
		error = write_section(policy, rules + i, end - i, stream);
		if (error)
			return error;
	}
	return 0;
}

int ini_write(const struct policy *policy, FILE *stream)
{
	int error;

	fprintf(stream, "[" SETTINGS_SECTION "]\nmode    = %s\ndefault = %s\n", ini_mode_words[policy->mode],
		ini_verdict_words[policy->verdict]);
	if (policy->events != DEFAULT_EVENTS)
		fprintf(stream, "events  = %u\n", policy->events);
	if (policy->failure != FAILURE_OPEN)
		fprintf(stream, "failure = %s\n", ini_failure_words[policy->failure]);
	for (unsigned i = 0; i < SWITCHES; i++)
		if (policy->switches[i] != ANSWER_YES)
			fprintf(stream, "%s = %s\n", ini_switch_words[i], ini_answer_words[policy->switches[i]]);
	error = write_rules(policy, stream);
	if (error)
		return error;
	errno = 0;
	if (fflush(stream) || ferror(stream))
		return errno ? -errno : -EIO;
	return 0;
}

char *ini_text(const struct policy *policy, const char *head, size_t *length, int *error)
{
	char *text = NULL;
	FILE *stream = must(open_memstream(&text, length));

	fputs(head, stream);
	*error = ini_write(policy, stream);
	fclose(stream);
	if (!*error)
		return text;
	free(text);
	return NULL;
}
