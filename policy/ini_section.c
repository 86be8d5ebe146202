/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Collects what the lines of a section say, and makes its rules.
 *
 * Nothing in a section depends on the order of its lines, so its rules are made when it ends.
 */
#include "policy/ini_section.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/compare.h"
#include "policy/numbers.h"
#include "policy/port.h"
#include "policy/text.h"

/* Of one file. More of them help nobody. */
#define ERRORS_SHOWN 20
#define WARNINGS_SHOWN 20

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

_Static_assert(LENGTH(((struct ini_settings *)0)->set) == KEY_LAST_SETTING + 1, "each setting has a place");

static void report(struct builder *b, unsigned line, const char *format, va_list arguments) __attribute__((format(printf, 3, 0)));

static void report(struct builder *b, unsigned line, const char *format, va_list arguments)
{
	_cleanup_free_ char *message = NULL;

	if (b->stop)
		return;
	if (b->errors++ == ERRORS_SHOWN) {
		diagnostics_error(b->diagnostics, b->file, b->line,
				  "too many errors; fix those above first, the rest of the file was not read");
		b->stop = true;
		return;
	}
	message = text_format_list(format, arguments);
	diagnostics_error(b->diagnostics, b->file, line, "%s", message);
}

void builder_error(struct builder *b, unsigned line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report(b, line, format, arguments);
	va_end(arguments);
}

void builder_refuse(struct builder *b, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report(b, b->line, format, arguments);
	va_end(arguments);
	b->section.line_refused = true;
	b->key = KEY_REFUSED;
	b->comma_line = 0;
}

static int compare_binaries(const void *a, const void *b)
{
	const struct binary_line *x = a, *y = b;

	COMPARE(x->binary, y->binary);
	COMPARE(x->line, y->line);
	return 0;
}

static int compare_items(const struct port_item *a, const struct port_item *b)
{
	COMPARE(a->first, b->first);
	COMPARE(a->last, b->last);
	COMPARE(a->protocol, b->protocol);
	return 0;
}

static int compare_ports(const void *a, const void *b)
{
	const struct port_line *x = a, *y = b;
	int order = compare_items(&x->item, &y->item);

	if (order)
		return order;
	COMPARE(x->verdict, y->verdict);
	COMPARE(x->line, y->line);
	return 0;
}

/* Sorts, and drops repetitions: to say a thing twice is no error, and makes no second rule. */
#define SORT_UNIQUE(array, count, compare, SAME)                             \
	do {                                                                 \
		size_t kept_ = 0;                                            \
		if (count)                                                   \
			qsort((array), (count), sizeof(*(array)), compare);  \
		for (size_t i_ = 0; i_ < (count); i_++)                      \
			if (!i_ || !SAME(&(array)[i_], &(array)[kept_ - 1])) \
				(array)[kept_++] = (array)[i_];              \
		(count) = kept_;                                             \
	} while (0)

#define SAME_BINARY(a, b) ((a)->binary == (b)->binary)
#define SAME_PORT(a, b) (port_equal(&(a)->item, &(b)->item) && (a)->verdict == (b)->verdict)

bool builder_may_warn(struct builder *b)
{
	if (b->warnings == WARNINGS_SHOWN)
		diagnostics_warning(b->diagnostics, b->file, b->line, "more warnings of this kind are not shown");
	return b->warnings++ < WARNINGS_SHOWN;
}

/* Warns if a port is both allowed and denied. `next` follows `port` in their order. */
static void warn_of_both(struct builder *b, const struct port_line *port, const struct port_line *next)
{
	char text[PORT_TEXT_MAX];

	if (port_equal(&port->item, &next->item) && port->verdict != VERDICT_LISTEN && next->verdict != VERDICT_LISTEN &&
	    builder_may_warn(b))
		diagnostics_warning(b->diagnostics, b->file, port->line > next->line ? port->line : next->line,
				    "port '%s' of [%s] is both allowed and denied; deny decides, so drop it from allow",
				    port_format(&port->item, text), b->section.name);
}

static void report_lack(struct builder *b)
{
	struct section *s = &b->section;
	bool ports = s->seen[KEY_ALLOW] || s->seen[KEY_DENY] || s->seen[KEY_LISTEN];

	if (!s->lines)
		builder_error(b, s->line, "section [%s] is empty; give it 'binary' and 'allow' or 'deny', or remove it", s->name);
	else if (!s->seen[KEY_BINARY] && !ports)
		builder_error(b, s->line, "section [%s] has only 'user'; add 'binary', and 'allow' or 'deny'", s->name);
	else if (!s->seen[KEY_BINARY])
		builder_error(b, s->line, "section [%s] has no 'binary'; add the program's path, or 'binary = any'", s->name);
	else if (!ports)
		builder_error(b, s->line, "section [%s] has none of 'allow', 'deny' and 'listen'; add the ports it is about", s->name);
}

/* Sets the rule's user to the one of this number in the section, the known ones first. */
static void set_user(const struct section *s, size_t number, struct rule *rule)
{
	bool known = number < s->uid_count;

	rule->uid = known ? s->uids[number] : UID_NONE;
	rule->unknown_user = known ? 0 : s->unknown_users[number - s->uid_count];
}

/* Counts the section's ports on which its binaries may listen for others. */
static size_t count_listens(const struct section *s)
{
	size_t count = 0;

	for (size_t i = 0; i < s->port_count; i++)
		count += s->ports[i].verdict == VERDICT_LISTEN;
	return count;
}

/* Makes the rules of one binary: one for each user (or one without) and port item. A binary listens for others as any user. */
static void make_binary_rules(struct builder *b, struct rule *rule)
{
	const struct section *s = &b->section;
	size_t named = s->uid_count + s->unknown_user_count;

	for (size_t i = 0; i < s->port_count; i++) {
		bool listens = s->ports[i].verdict == VERDICT_LISTEN;

		rule->port = s->ports[i].item;
		rule->verdict = s->ports[i].verdict;
		/* Even if no user of the section is known: its rules must not become rules for everybody. */
		rule->has_uid = named && !listens;
		rule->uid = rule->unknown_user = 0;
		if (!rule->has_uid)
			policy_append(b->policy, rule);
		for (size_t k = 0; rule->has_uid && k < named; k++) {
			set_user(s, k, rule);
			policy_append(b->policy, rule);
		}
	}
}

static void make_rules(struct builder *b)
{
	struct section *s = &b->section;
	size_t named = s->uid_count + s->unknown_user_count, users = named ? named : 1, listens = count_listens(s);
	struct rule rule = { .counter = COUNTER_NONE };
	/* Each factor is at most MAX_RULES. */
	uint64_t made = (uint64_t)s->binary_count * (users * (s->port_count - listens) + listens);

	if (b->policy->rule_count + made > MAX_RULES) {
		builder_error(b, s->line,
			      "section [%s] makes %" PRIu64 " rules, there are %zu, and a policy takes %d; "
			      "use ranges of ports",
			      s->name, made, b->policy->rule_count, MAX_RULES);
		b->stop = true;
		return;
	}
	memcpy(rule.section, s->name, sizeof(rule.section));
	for (size_t i = 0; i < s->binary_count; i++) {
		rule.origin = policy_origin(b->policy, b->file, s->binaries[i].line);
		rule.binary = s->binaries[i].binary;
		make_binary_rules(b, &rule);
	}
}

static void end_list(struct builder *b)
{
	if (b->comma_line)
		builder_error(b, b->comma_line, "the list ends with a comma; drop it, or go on in an indented line");
	b->comma_line = 0;
}

void builder_line(struct builder *b)
{
	end_list(b);
	b->key = KEY_NONE;
	b->section.lines++;
}

static void clear_section(struct section *s)
{
	free(s->binaries);
	free(s->uids);
	free(s->unknown_users);
	free(s->ports);
	*s = (struct section){ 0 };
}

static void end_section(struct builder *b)
{
	struct section *s = &b->section;

	end_list(b);
	if (s->kind == SECTION_RULES) {
		SORT_UNIQUE(s->binaries, s->binary_count, compare_binaries, SAME_BINARY);
		s->uid_count = numbers_sort(s->uids, s->uid_count);
		s->unknown_user_count = numbers_sort(s->unknown_users, s->unknown_user_count);
		SORT_UNIQUE(s->ports, s->port_count, compare_ports, SAME_PORT);
		for (size_t i = 1; i < s->port_count; i++)
			warn_of_both(b, &s->ports[i - 1], &s->ports[i]);
		if (!s->line_refused)
			report_lack(b);
		if (!b->errors)
			make_rules(b);
	}
	clear_section(s);
}

void builder_header(struct builder *b, const char *name)
{
	end_section(b);
	b->key = KEY_NONE;
	b->section.line = b->line;
	if (!name) {
		b->section.kind = SECTION_REFUSED;
		return;
	}
	b->section.kind = strcmp(name, SETTINGS_SECTION) == 0 ? SECTION_SETTINGS : SECTION_RULES;
	memcpy(b->section.name, name, strlen(name) + 1); /* its length was checked */
}

void builder_end(struct builder *b)
{
	end_section(b);
	user_cache_clear(&b->users);
}
