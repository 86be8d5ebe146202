/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes rules and settings of the keys and values of a policy file.
 *
 * Nothing in a section depends on the order of its lines, so its rules are made when it ends.
 */
#include "policy/ini_section.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/shared/event.h"
#include "policy/cleanup.h"
#include "policy/grow.h"
#include "policy/port.h"
#include "policy/text.h"

/* Of one file; more of them help nobody. */
#define ERRORS_SHOWN 20
#define WARNINGS_SHOWN 20

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* In the order of enum key. */
const char *const ini_key_words[] = { "mode", "default", "events", "failure", "judge-listen", "gate", "drain", "binary",
				      "user", "allow", "deny", "listen" };
const char *const *const ini_switch_words = &ini_key_words[KEY_FIRST_SWITCH];
_Static_assert(LENGTH(ini_key_words) == KEYS, "each key has a word");
_Static_assert(LENGTH(((struct ini_settings *)0)->set) == KEY_LAST_SETTING + 1, "each setting has a place");

static void report(struct builder *b, unsigned line, const char *format, va_list arguments)
	__attribute__((format(printf, 3, 0)));

static void report(struct builder *b, unsigned line, const char *format, va_list arguments)
{
	_cleanup_free_ char *message = NULL;

	if (b->stop)
		return;
	if (b->errors++ == ERRORS_SHOWN) {
		diagnostics_error(b->diagnostics, b->file, b->line,
				  "too many errors; mend those above first, the rest of the file was not read");
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

const char *builder_known_keys(const struct builder *b)
{
	if (b->section.kind == SECTION_SETTINGS)
		return "mode, default, events, failure, judge-listen, gate and drain";
	return "binary, user, allow, deny and listen";
}

/* ---------------------------------------------------------------------------------------------
 * Sections
 */

static int compare_binaries(const void *a, const void *b)
{
	const struct binary_line *x = a, *y = b;

	if (x->binary != y->binary)
		return x->binary < y->binary ? -1 : 1;
	return (x->line > y->line) - (x->line < y->line);
}

static int compare_uids(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int compare_items(const struct port_item *a, const struct port_item *b)
{
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	if (a->last != b->last)
		return a->last < b->last ? -1 : 1;
	return a->protocol - b->protocol;
}

static int compare_ports(const void *a, const void *b)
{
	const struct port_line *x = a, *y = b;
	int order = compare_items(&x->item, &y->item);

	if (!order)
		order = x->verdict - y->verdict;
	if (!order)
		order = (x->line > y->line) - (x->line < y->line);
	return order;
}

/* Sorts, and drops the repetitions: saying a thing twice is no error, and makes no second rule. */
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
#define SAME_NUMBER(a, b) (*(a) == *(b))
#define SAME_PORT(a, b) (compare_items(&(a)->item, &(b)->item) == 0 && (a)->verdict == (b)->verdict)

/* Counts a warning. Returns whether it is to be shown. */
static bool may_warn(struct builder *b)
{
	if (b->warnings == WARNINGS_SHOWN)
		diagnostics_warning(b->diagnostics, b->file, b->line, "more warnings of this kind are not shown");
	return b->warnings++ < WARNINGS_SHOWN;
}

/* `next` follows `port` in their order. */
static void warn_of_both(struct builder *b, const struct port_line *port, const struct port_line *next)
{
	char text[PORT_TEXT_MAX];

	if (compare_items(&port->item, &next->item) == 0 && port->verdict != VERDICT_LISTEN && next->verdict != VERDICT_LISTEN && may_warn(b))
		diagnostics_warning(b->diagnostics, b->file, port->line > next->line ? port->line : next->line,
				    "port '%s' of [%s] is both allowed and denied; deny decides, so drop it from allow",
				    port_format(&port->item, text), b->section.name);
}

static void report_lack(struct builder *b)
{
	struct section *s = &b->section;
	bool ports = s->seen[KEY_ALLOW] || s->seen[KEY_DENY] || s->seen[KEY_LISTEN];

	if (!s->lines)
		builder_error(b, s->line,
			      "section [%s] is empty; give it 'binary' and 'allow' or 'deny', or remove it",
			      s->name);
	else if (!s->seen[KEY_BINARY] && !ports)
		builder_error(b, s->line, "section [%s] has only 'user'; add 'binary', and 'allow' or 'deny'",
			      s->name);
	else if (!s->seen[KEY_BINARY])
		builder_error(b, s->line,
			      "section [%s] has no 'binary'; add the program's path, or 'binary = any'",
			      s->name);
	else if (!ports)
		builder_error(b, s->line,
			      "section [%s] has none of 'allow', 'deny' and 'listen'; add the ports it is about",
			      s->name);
}

/* The `number`th user of the section: first the known ones. */
static void set_user(const struct section *s, size_t number, struct rule *rule)
{
	bool known = number < s->uid_count;

	rule->uid = known ? s->uids[number] : UID_NONE;
	rule->unknown_user = known ? 0 : s->unknown_users[number - s->uid_count];
}

/* Of the section's ports, those that its binaries may listen on for others. */
static size_t count_listens(const struct section *s)
{
	size_t count = 0;

	for (size_t i = 0; i < s->port_count; i++)
		count += s->ports[i].verdict == VERDICT_LISTEN;
	return count;
}

/* The rules of one binary: every user, or none x every port item. Who listens for others may do so as any user. */
static void make_binary_rules(struct builder *b, struct rule *rule)
{
	const struct section *s = &b->section;
	size_t named = s->uid_count + s->unknown_user_count;

	for (size_t i = 0; i < s->port_count; i++) {
		bool listens = s->ports[i].verdict == VERDICT_LISTEN;

		rule->port = s->ports[i].item;
		rule->verdict = s->ports[i].verdict;
		/* Also where no user of the section is known: its rules must not become rules for everybody. */
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
	/* Each is at most MAX_RULES. */
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
		builder_error(b, b->comma_line,
			      "the list ends with a comma; drop it, or go on in an indented line");
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
		SORT_UNIQUE(s->uids, s->uid_count, compare_uids, SAME_NUMBER);
		SORT_UNIQUE(s->unknown_users, s->unknown_user_count, compare_uids, SAME_NUMBER);
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

/* ---------------------------------------------------------------------------------------------
 * Values
 */

_Static_assert(MODES == 2 && VERDICTS == 2 && FAILURES == 2 && ANSWERS == 2, "word_setting() names both words");

/* The value of a setting that is one of two words. False: reported. */
static bool word_setting(struct builder *b, const char *const *words, const char *value, unsigned *setting)
{
	const char *key = ini_key_words[b->key], *meant = word_nearest(value, words, 2);
	size_t word = word_find(value, words, 2);

	*setting = (unsigned)word;
	if (word < 2)
		return true;
	if (meant)
		builder_error(b, b->line, "unknown %s '%s'; did you mean '%s'?", key, value, meant);
	else
		builder_error(b, b->line, "unknown %s '%s'; write '%s' or '%s'", key, value, words[0], words[1]);
	return false;
}

/* The size of a buffer. False: reported. */
static bool events_setting(struct builder *b, const char *value, unsigned *setting)
{
	unsigned long long number = 0;
	unsigned near = MIN_EVENTS;

	if (!*value || strspn(value, "0123456789") != strlen(value) || strlen(value) > 9)
		number = DEFAULT_EVENTS + 1;
	else
		number = strtoull(value, NULL, 10);
	while (near < number && near < MAX_EVENTS)
		near *= 2;
	*setting = near;
	if (near == number)
		return true;
	if (number == DEFAULT_EVENTS + 1)
		near = DEFAULT_EVENTS;
	builder_error(b, b->line, "'events = %s': the number of events that are kept is a power of two from %d to %d; write "
		      "'events = %u'", value, MIN_EVENTS, MAX_EVENTS, near);
	return false;
}

static void take_setting(struct builder *b, const char *value)
{
	static const char *const *const words[] = { [KEY_MODE] = ini_mode_words, [KEY_DEFAULT] = ini_verdict_words,
						     [KEY_FAILURE] = ini_failure_words,
						     [KEY_FIRST_SWITCH ... KEY_LAST_SETTING] = ini_answer_words };
	unsigned *const settings[] = { [KEY_MODE] = &b->policy->mode, [KEY_DEFAULT] = &b->policy->verdict,
				       [KEY_EVENTS] = &b->policy->events, [KEY_FAILURE] = &b->policy->failure };
	struct ini_place *place = &b->settings->set[b->key];
	unsigned *setting = b->key < KEY_FIRST_SWITCH ? settings[b->key] : &b->policy->switches[b->key - KEY_FIRST_SWITCH], wanted;
	bool valid;

	if (b->key == KEY_EVENTS)
		valid = events_setting(b, value, &wanted);
	else
		valid = word_setting(b, words[b->key], value, &wanted);
	if (!valid || b->section.kind == SECTION_REFUSED)
		return;
	if (!place->file) {
		place->file = must(strdup(b->file));
		place->line = b->line;
		place->value = must(strdup(value));
		*setting = wanted;
	} else if (*setting != wanted) {
		builder_error(b, b->line, "'%s = %s' contradicts '%s = %s' at %s:%u; drop one of them", ini_key_words[b->key],
			      value, ini_key_words[b->key], place->value, place->file, place->line);
	}
}

static bool has_room(struct builder *b, size_t count)
{
	if (count < MAX_RULES)
		return true;
	builder_error(b, b->line, "section [%s] has more than %d values of '%s'; a policy takes %d rules",
		      b->section.name, MAX_RULES, ini_key_words[b->key], MAX_RULES);
	b->stop = true;
	return false;
}

static size_t name_binary(struct builder *b, const char *path)
{
	size_t index = policy_binary(b->policy, path);
	struct binary *binary = &b->policy->binaries[index];

	if (!binary->file) {
		binary->file = must(strdup(b->file));
		binary->line = b->line;
	}
	return index;
}

static void take_binary(struct builder *b, const char *value)
{
	struct section *s = &b->section;
	_cleanup_free_ char *problem = ini_check_path(value);

	if (problem)
		builder_error(b, b->line, "%s", problem);
	else if (has_room(b, s->binary_count))
		APPEND(s->binaries, s->binary_count, ((struct binary_line){ name_binary(b, value), b->line }));
}

static bool take_port(struct builder *b, const char *text)
{
	struct section *s = &b->section;
	struct port_line port = { .verdict = b->key == KEY_ALLOW ? VERDICT_ALLOW : b->key == KEY_DENY ? VERDICT_DENY : VERDICT_LISTEN,
				  .line = b->line };
	const char *problem = port_parse(text, &port.item);

	if (problem)
		builder_error(b, b->line, "port '%s': %s", text, problem);
	else if (has_room(b, s->port_count))
		APPEND(s->ports, s->port_count, port);
	return !problem;
}

/* At boot, and for another machine: users can be removed, and a directory service can be late. */
static bool take_unknown_user(struct builder *b, const char *name)
{
	struct section *s = &b->section;

	if (!has_room(b, s->unknown_user_count))
		return false;
	APPEND(s->unknown_users, s->unknown_user_count, policy_unknown_user(b->policy, name));
	if (may_warn(b))
		diagnostics_machine(b->diagnostics, b->file, b->line, "unknown user '%s'; the rules of [%s] for this user wait, and "
				    "match nobody until then", name, s->name);
	return true;
}

static bool take_user(struct builder *b, const char *text)
{
	struct section *s = &b->section;
	uint32_t uid = 0;
	_cleanup_free_ char *problem = user_read(&b->users, text, &uid);

	if (problem && b->settings->at_boot && user_may_come(&b->users, text))
		return take_unknown_user(b, text);
	if (problem)
		builder_error(b, b->line, "%s", problem);
	else if (has_room(b, s->uid_count))
		APPEND(s->uids, s->uid_count, uid);
	return !problem;
}

/* Stops at the first bad item: one line, one error. */
static void take_list(struct builder *b, const char *value)
{
	_cleanup_free_ char *copy = must(strdup(value));
	char *rest = copy, *item;

	while ((item = strsep(&rest, ","))) {
		item = text_trim(item);
		if (!*item && !rest) {
			b->comma_line = b->line;
		} else if (!*item) {
			builder_error(b, b->line, "an item of the list is empty; drop the comma too many");
			return;
		} else if (!(b->key == KEY_USER ? take_user(b, item) : take_port(b, item))) {
			return;
		}
	}
}

void builder_more(struct builder *b, const char *value)
{
	if (!*value)
		builder_error(b, b->line, "'%s' has no value; give it one or drop the line",
			      ini_key_words[b->key]);
	else if (b->key <= KEY_LAST_SETTING)
		take_setting(b, value);
	else if (b->key == KEY_BINARY)
		take_binary(b, value);
	else
		take_list(b, value);
}

/* ---------------------------------------------------------------------------------------------
 * Keys
 */

/* A setting outside [sockaccept], or a rule's key in it. */
static void refuse_key(struct builder *b, enum key key)
{
	const char *name = b->section.name;
	const char *word = ini_key_words[key];

	if (b->section.kind == SECTION_SETTINGS)
		builder_refuse(b,
			       "'%s' does not belong in [" SETTINGS_SECTION
			       "]; put rules in a section of another name",
			       word);
	else if (word_distance(name, SETTINGS_SECTION) <= 2)
		builder_refuse(b, "'%s' belongs in [" SETTINGS_SECTION "]; rename section [%s] to that", word,
			       name);
	else
		builder_refuse(b, "'%s' belongs in [" SETTINGS_SECTION "], not in [%s]; move it there", word,
			       name);
}

static void refuse_unknown_key(struct builder *b, const char *name)
{
	const char *meant = word_nearest(name, ini_key_words, KEYS);

	if (meant)
		builder_refuse(b, "unknown key '%s'; did you mean '%s'?", name, meant);
	else
		builder_refuse(b, "unknown key '%s'; keys of this section are %s", name, builder_known_keys(b));
}

void builder_pair(struct builder *b, const char *name, const char *value)
{
	enum key key = word_find(name, ini_key_words, KEYS);
	bool setting = key <= KEY_LAST_SETTING;

	if (key == KEYS)
		refuse_unknown_key(b, name);
	else if (b->section.kind != SECTION_REFUSED && setting != (b->section.kind == SECTION_SETTINGS))
		refuse_key(b, key);
	else {
		b->key = key;
		b->section.seen[key] = true;
		builder_more(b, value);
	}
}

void builder_end(struct builder *b)
{
	end_section(b);
	user_cache_clear(&b->users);
}
