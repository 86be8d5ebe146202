/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes a policy as a file, and says what a file can hold.
 */
#include "policy/ini.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bpf/shared/event.h"
#include "policy/cleanup.h"
#include "policy/ini_section.h"
#include "policy/port.h"
#include "policy/program.h"
#include "policy/text.h"

/* Where a list of ports goes on in a further line. Far below what inih takes: people read it. */
#define LINE_WIDTH 76
#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

const char *const ini_mode_words[] = {
	[MODE_ENFORCE] = "enforce",
	[MODE_PERMISSIVE] = "permissive",
};
const char *const ini_failure_words[] = {
	[FAILURE_OPEN] = "open",
	[FAILURE_CLOSED] = "closed",
};
const char *const ini_answer_words[] = {
	[ANSWER_NO] = "no",
	[ANSWER_YES] = "yes",
};
_Static_assert(LENGTH(ini_mode_words) == MODES, "each mode has a word");
_Static_assert(LENGTH(ini_failure_words) == FAILURES, "and each failure");
_Static_assert(LENGTH(ini_answer_words) == ANSWERS, "and each answer");

const char *const ini_verdict_words[] = {
	[VERDICT_ALLOW] = "allow",
	[VERDICT_DENY] = "deny",
	[VERDICT_LISTEN] = "listen",
};
_Static_assert(LENGTH(ini_verdict_words) == VERDICTS + 1, "each verdict has a word");

/* C0, DEL, and C1 as UTF-8 spells it. */
static bool has_control(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	for (; *p; p++)
		if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0))
			return true;
	return false;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), wanted = strlen(end);

	return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

/* A bare name: the path that a shell of root's would take it for. */
static char *name_a_path(const char *name)
{
	_cleanup_free_ char *path = NULL;

	if (strcasecmp(name, "any") == 0)
		return text_format("unknown binary '%s'; write any in lower case", name);
	path = program_on_path(name);
	if (path)
		return text_format("'%s' is not an absolute path; write %s", name, path);
	return text_format("'%s' is not an absolute path; write it in full, such as /usr/sbin/%s", name, name);
}

static char *check_absolute(const char *path)
{
	if (path[0] == '/')
		return NULL;
	if (path[0] == '"' || path[0] == '\'')
		return text_format("path %s begins with a quote; write it without", path);
	if (strchr(path, '/'))
		return text_format("'%s' is not an absolute path; begin it with /", path);
	return name_a_path(path);
}

char *ini_check_path(const char *path)
{
	size_t length = strlen(path);

	if (strcmp(path, "any") == 0)
		return NULL;
	if (!length)
		return text_format("the path is empty; write it in full, or any");
	if (has_control(path))
		return text_format(
			"a control character in a path; make a symbolic link without it and name that");
	if (length > BINARY_PATH_MAX)
		return text_format(
			"a path of %zu bytes, and %d is the most; make a symbolic link and name that", length,
			BINARY_PATH_MAX);
	if (path[0] != '/')
		return check_absolute(path);
	if (ends_with(path, "/") || ends_with(path, "/.") || ends_with(path, "/.."))
		return text_format("'%s' is a directory; name the file in it", path);
	if (strstr(path, ", /") || strstr(path, ",/"))
		return text_format("'%s' looks like two paths; give each a 'binary =' of its own", path);
	if (strpbrk(path, "*?"))
		return text_format("'%s' looks like a pattern; name each binary", path);
	if (strstr(path, " ;") || strstr(path, " #") || ends_with(path, " "))
		return text_format("'%s' has in it what ends a value; make a symbolic link and name that",
				   path);
	return NULL;
}

const char *ini_check_section(const char *name)
{
	size_t length = strlen(name);

	if (!length)
		return "a section without a name; put one between the brackets";
	if (length > SECTION_MAX)
		return "a section name over 49 bytes, which inih would cut; shorten it";
	if (has_control(name))
		return "a control character in a section name; drop it";
	if (name[0] == ' ' || name[length - 1] == ' ')
		return "a blank around a section name; write [name]";
	if (strchr(name, ']') || strstr(name, " ;") || strstr(name, " #"))
		return "a section name with ']', ' ;' or ' #' in it; choose another";
	return NULL;
}
_Static_assert(SECTION_MAX == 49, "ini_check_section() says so");

/* Binaries in the order of the policy, and what goes into one section side by side. */
static int compare_sections(const struct rule *a, const struct rule *b)
{
	if (a->binary != b->binary)
		return a->binary < b->binary ? -1 : 1;
	if (strcmp(a->section, b->section) != 0)
		return strcmp(a->section, b->section);
	if (a->has_uid != b->has_uid)
		return a->has_uid - b->has_uid;
	if (a->has_uid && a->uid != b->uid)
		return a->uid < b->uid ? -1 : 1;
	return (a->unknown_user > b->unknown_user) - (a->unknown_user < b->unknown_user);
}

static int compare_rules(const void *a, const void *b)
{
	const struct rule *const *x = a, *const *y = b;
	int order = compare_sections(*x, *y);

	return order ? order : (*x > *y) - (*x < *y);
}

/* The rules' ports with this verdict, over as many lines as they need. */
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

static int write_section(const struct policy *policy, const struct rule *const *rules, size_t count,
			 FILE *stream)
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
	_cleanup_free_ const struct rule **rules = calloc(policy->rule_count + 1, sizeof(*rules));
	size_t count = 0, end;

	if (!rules)
		abort();
	/* What ends by itself is none of a file's. */
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
