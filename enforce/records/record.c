/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Adds to an event the texts that it lacks.
 */
#include "enforce/records/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy/ini.h"
#include "policy/port.h"

const char *rule_text(const struct rule_label *label, char *text)
{
	const struct port_item item = { label->first, label->last, label->protocol };
	char port[PORT_TEXT_MAX], user[24] = "";

	if (label->has_uid)
		snprintf(user, sizeof(user), " user %" PRIu32, label->uid);
	snprintf(text, RULE_TEXT_MAX, "%.*s: %s %s%s", SECTION_MAX, label->section, ini_verdict_words[label->verdict == VERDICT_DENY],
		 port_format(&item, port), user);
	return text;
}

/* Returns the text of a rule. Keeps the last one: most events are of the same rule as the one before. */
static const char *text_of(struct record_maker *maker, const struct rule_label *label)
{
	if (!maker->rule[0] || memcmp(&maker->label, label, sizeof(*label)) != 0) {
		maker->label = *label;
		rule_text(label, maker->rule);
	}
	return maker->rule;
}

static const char *hint_of(struct record_maker *maker, const struct event *event)
{
	if (!(event->binary & BINARY_UNNAMED) || !event->path.length)
		return NULL;
	memcpy(maker->hint, event->path.path, PATH_ROOM);
	return maker->hint;
}

struct record record_make(struct record_maker *maker, const struct event *event)
{
	struct record record = { .event = event, .binary = names_binary(&maker->names, event), .unit = names_unit(&maker->names, event) };

	if (!record.binary && !(event->differ & DIFFER_BINARY))
		record.hint = hint_of(maker, event);
	if (event->reason == REASON_RULE && !(event->differ & DIFFER_RULE))
		record.rule = text_of(maker, &event->rule);
	return record;
}

void record_maker_clear(struct record_maker *maker)
{
	names_clear(&maker->names);
}
