/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/overruled.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/base/status.h"
#include "enforce/base/when.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/overrule.h"
#include "policy/port.h"

/* Name at most this many, and the number of the others. */
#define NAMED_MAX 10

/* Rules that differ in nothing but their users. */
struct group {
	const struct policy *policy;
	const size_t *rules; /* indices */
	size_t count;
};

static const struct rule *member(const struct group *group, size_t index)
{
	return &group->policy->rules[group->rules[index]];
}

/* ---------------------------------------------------------------------------------------------
 * Words
 */

/* Prints a user as `--user` takes it. */
static void print_user(FILE *stream, uint32_t uid)
{
	const struct passwd *user = getpwuid(uid);
	_cleanup_free_ char *name = user ? must(strdup(user->pw_name)) : NULL;

	user = name && (*name < '0' || *name > '9') && !strpbrk(name, ", ") ? getpwnam(name) : NULL;
	if (user && user->pw_uid == uid)
		fputs(name, stream);
	else
		fprintf(stream, "%" PRIu32, uid);
}

/* Prints `text` as one word of a shell. */
static void print_word(FILE *stream, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";

	if (text[strspn(text, plain)] == '\0') {
		fputs(text, stream);
		return;
	}
	fputc('\'', stream);
	for (; *text; text++)
		if (*text == '\'')
			fputs("'\\''", stream);
		else
			fputc(*text, stream);
	fputc('\'', stream);
}

static void print_users(FILE *stream, const struct group *group, const char *between)
{
	for (size_t i = 0; i < group->count; i++) {
		fputs(i ? between : "", stream);
		print_user(stream, member(group, i)->uid);
	}
}

static char *describe(const struct group *group, uint64_t now)
{
	const struct rule *rule = member(group, 0);
	char port[PORT_TEXT_MAX], length[LENGTH_TEXT_MAX], *text = NULL;
	size_t size = 0;
	FILE *stream = must(open_memstream(&text, &size));

	fprintf(stream, "[%s] has %s`%s = %s` for %s", rule->section, rule->until ? "a temporary " : "", ini_verdict_words[rule->verdict],
		port_format(&rule->port, port), group->policy->binaries[rule->binary].path);
	if (rule->has_uid) {
		fprintf(stream, " and user%s ", group->count > 1 ? "s" : "");
		print_users(stream, group, ", ");
	}
	if (rule->until > now)
		fprintf(stream, " for %s more", when_length(rule->until - now, length));
	fclose(stream);
	return text;
}

/* ---------------------------------------------------------------------------------------------
 * The command to write instead: the same with the conditions of both rules
 */

static struct port_item both_ports(const struct port_item *a, const struct port_item *b)
{
	struct port_item both = { .protocol = a->protocol ? a->protocol : b->protocol };

	both.first = a->first > b->first ? a->first : b->first;
	both.last = !a->first || (b->first && b->last < a->last) ? b->last : a->last;
	return both;
}

static bool is_any(const char *path)
{
	return !strcmp(path, "any");
}

/* Returns true if the rule of a file would still decide: it is for the same, and denies. */
static bool stays(const struct group *group, const struct rule *rule, bool save)
{
	const struct rule *other = member(group, 0);
	const struct port_item both = both_ports(&rule->port, &other->port);

	return save && other->verdict == VERDICT_DENY && (other->has_uid || !rule->has_uid) && port_equal(&both, &other->port) &&
	       strcmp(other->section, CLI_SECTION) != 0;
}

static char *advise(const struct group *group, const struct rule_edit *edit, const struct rule *rule, bool save, uint64_t now)
{
	const struct rule *other = member(group, 0);
	const struct port_item both = both_ports(&rule->port, &other->port);
	uint64_t until = rule->until ? rule->until : other->until;
	char port[PORT_TEXT_MAX], length[LENGTH_TEXT_MAX], *text = NULL;
	size_t size = 0;
	FILE *stream;

	if (stays(group, rule, save))
		return NULL;
	stream = must(open_memstream(&text, &size));
	fprintf(stream, "sockaccept-ctl %s ", ini_verdict_words[rule->verdict]);
	print_word(stream, is_any(edit->path) ? group->policy->binaries[other->binary].path : edit->path);
	fprintf(stream, " %s", port_format(&both, port));
	if (rule->has_uid || other->has_uid)
		fputs(" --user ", stream);
	if (rule->has_uid)
		print_user(stream, rule->uid);
	else if (other->has_uid)
		print_users(stream, group, ",");
	if (until > now)
		fprintf(stream, " --for %s", when_length(until - now, length));
	fputs(save ? " --save" : "", stream);
	fclose(stream);
	return text;
}

/* ---------------------------------------------------------------------------------------------
 * The list
 */

static bool has(const struct objections *objections, const struct objection *objection)
{
	for (size_t i = 0; i < objections->count; i++)
		if (!strcmp(objections->list[i].rule, objection->rule) &&
		    !strcmp(objections->list[i].instead ?: "", objection->instead ?: ""))
			return true;
	return false;
}

/* Adds `objection` and owns what it holds. */
static void add(struct objections *objections, struct objection *objection)
{
	if (has(objections, objection)) {
		free(objection->rule);
		free(objection->instead);
		return;
	}
	objections->list = must(reallocarray(objections->list, objections->count + 1, sizeof(*objections->list)));
	objections->list[objections->count++] = *objection;
}

/* Rules of one group stand side by side, as a policy's rules are sorted by user last. */
static bool belongs(const struct group *group, const struct rule *rule)
{
	const struct rule *first = member(group, 0);

	return first->has_uid && rule->has_uid && first->binary == rule->binary && port_equal(&first->port, &rule->port) &&
	       first->until == rule->until && !strcmp(first->section, rule->section);
}

int objections_find(const struct policy *policy, uint32_t number, const struct rule_edit *edit, size_t index, bool save,
		    struct objections *objections)
{
	const struct rule rule = rule_edit_rule(edit, 0, index);
	uint64_t now = (uint64_t)when_now().boot;
	struct overrulings found = { 0 };
	int error = overrulings_find(policy, number, &rule, now, &found);

	for (size_t i = 0; i < found.count && !error;) {
		struct group group = { policy, &found.rules[i], 1 };
		struct objection objection;

		while (i + group.count < found.count && belongs(&group, member(&group, group.count)))
			group.count++;
		objection = (struct objection){ describe(&group, now), advise(&group, edit, &rule, save, now) };
		add(objections, &objection);
		i += group.count;
	}
	overrulings_clear(&found);
	return error;
}

void objections_join(struct objections *objections, struct objections *more)
{
	for (size_t i = 0; i < more->count; i++)
		add(objections, &more->list[i]);
	free(more->list);
	*more = (struct objections){ 0 };
}

void objections_warn(const struct objections *objections, const struct rule_edit *edit)
{
	const char *verb = ini_verdict_words[edit->verdict];

	for (size_t i = 0; i < objections->count && i < NAMED_MAX; i++) {
		const struct objection *one = &objections->list[i];

		if (one->instead)
			warn("%s, which still decides there; to %s that too: %s", one->rule, verb, one->instead);
		else
			warn("%s, which still decides there; to %s that too, change it there", one->rule, verb);
	}
	if (objections->count > NAMED_MAX)
		warn("%zu more rules still decide otherwise than to %s; see: sockaccept-ctl list", objections->count - NAMED_MAX, verb);
}

void objections_clear(struct objections *objections)
{
	for (size_t i = 0; i < objections->count; i++) {
		free(objections->list[i].rule);
		free(objections->list[i].instead);
	}
	free(objections->list);
	*objections = (struct objections){ 0 };
}
