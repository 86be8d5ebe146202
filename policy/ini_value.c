/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Takes the keys and values of a policy file: settings into the policy, all others into the section that they stand in.
 */
#include "policy/ini_section.h"

#include <stdlib.h>
#include <string.h>

#include "bpf/shared/event.h"
#include "policy/cleanup.h"
#include "policy/grow.h"
#include "policy/port.h"
#include "policy/text.h"

_Static_assert(MODES == 2 && VERDICTS == 2 && FAILURES == 2 && ANSWERS == 2, "word_setting() names both words");

/* Reads a setting that is one of two words. Returns false if it is neither, which it reports. */
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

/* Reads the size of a buffer. Returns false if it is none, which it reports. */
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
	builder_error(b, b->line,
		      "'events = %s': the number of events that are kept is a power of two from %d to %d; write "
		      "'events = %u'",
		      value, MIN_EVENTS, MAX_EVENTS, near);
	return false;
}

static void take_setting(struct builder *b, const char *value)
{
	static const char *const *const words[] = { [KEY_MODE] = ini_mode_words,
						    [KEY_DEFAULT] = ini_verdict_words,
						    [KEY_FAILURE] = ini_failure_words,
						    [KEY_FIRST_SWITCH... KEY_LAST_SETTING] = ini_answer_words };
	unsigned *const settings[] = { [KEY_MODE] = &b->policy->mode,
				       [KEY_DEFAULT] = &b->policy->verdict,
				       [KEY_EVENTS] = &b->policy->events,
				       [KEY_FAILURE] = &b->policy->failure };
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
		builder_error(b, b->line, "'%s = %s' contradicts '%s = %s' at %s:%u; drop one of them", ini_key_words[b->key], value,
			      ini_key_words[b->key], place->value, place->file, place->line);
	}
}

static bool has_room(struct builder *b, size_t count)
{
	if (count < MAX_RULES)
		return true;
	builder_error(b, b->line, "section [%s] has more than %d values of '%s'; a policy takes %d rules", b->section.name, MAX_RULES,
		      ini_key_words[b->key], MAX_RULES);
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
	struct port_line port = { .verdict = b->key == KEY_ALLOW ? VERDICT_ALLOW :
					     b->key == KEY_DENY  ? VERDICT_DENY :
								   VERDICT_LISTEN,
				  .line = b->line };
	const char *problem = port_parse(text, &port.item);

	if (problem)
		builder_error(b, b->line, "port '%s': %s", text, problem);
	else if (has_room(b, s->port_count))
		APPEND(s->ports, s->port_count, port);
	return !problem;
}

/* Lets the rules for an unknown user wait, at boot and for another machine: users can be removed, and a directory service be late. */
static bool take_unknown_user(struct builder *b, const char *name)
{
	struct section *s = &b->section;

	if (!has_room(b, s->unknown_user_count))
		return false;
	APPEND(s->unknown_users, s->unknown_user_count, policy_unknown_user(b->policy, name));
	if (builder_may_warn(b))
		diagnostics_machine(b->diagnostics, b->file, b->line,
				    "unknown user '%s'; the rules of [%s] for this user wait, and "
				    "match nobody until then",
				    name, s->name);
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

/* Takes a list. Stops at the first bad item, so that one line makes one error. */
static void take_list(struct builder *b, const char *value)
{
	_cleanup_free_ char *copy = must(strdup(value));
	char *rest = copy, *item;

	while ((item = text_next_item(&rest))) {
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
		builder_error(b, b->line, "'%s' has no value; give it one or drop the line", ini_key_words[b->key]);
	else if (b->key <= KEY_LAST_SETTING)
		take_setting(b, value);
	else if (b->key == KEY_BINARY)
		take_binary(b, value);
	else
		take_list(b, value);
}

const char *builder_known_keys(const struct builder *b)
{
	if (b->section.kind == SECTION_SETTINGS)
		return "mode, default, events, failure, judge-listen, gate and drain";
	return "binary, user, allow, deny and listen";
}

/* Refuses a setting outside [sockaccept], or a rule's key in it. */
static void refuse_key(struct builder *b, enum key key)
{
	const char *name = b->section.name;
	const char *word = ini_key_words[key];

	if (b->section.kind == SECTION_SETTINGS)
		builder_refuse(b, "'%s' does not belong in [" SETTINGS_SECTION "]; put rules in a section of another name", word);
	else if (word_distance(name, SETTINGS_SECTION) <= 2)
		builder_refuse(b, "'%s' belongs in [" SETTINGS_SECTION "]; rename section [%s] to that", word, name);
	else
		builder_refuse(b, "'%s' belongs in [" SETTINGS_SECTION "], not in [%s]; move it there", word, name);
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
