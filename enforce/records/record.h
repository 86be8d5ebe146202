/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An event together with the names that it has only as numbers. Filters, tables and sums look at records, whether these come from the
 * kernel or from the lasting log.
 */
#ifndef SOCKACCEPT_RECORD_H
#define SOCKACCEPT_RECORD_H

#include "enforce/records/names.h"

#define RULE_TEXT_MAX 128

struct record {
	const struct event *event;
	const char *binary; /* its path from the machine's own root; NULL: not known */
	const char *hint;   /* if `binary` isn't known: the path as the process sees it; NULL: not known either */
	const char *unit;   /* NULL: none, or not known */
	const char *rule;   /* `web: deny any`; NULL: no rule decided */
};

/* Finds the names for records, and keeps the last ones. Empty when zero-initialised except for names.kernel. */
struct record_maker {
	struct names names;
	struct rule_label label; /* `rule` is its text */
	char rule[RULE_TEXT_MAX];
	char hint[PATH_ROOM + 1];
};

/* Returns the record of `event`. Its texts belong to the maker or the event, and are valid until the next call. */
struct record record_make(struct record_maker *maker, const struct event *event);

/* Frees the names. */
void record_maker_clear(struct record_maker *maker);

/* Writes `web: deny any`, the section, verdict, port item and user of a rule, into `text` of RULE_TEXT_MAX bytes. Returns `text`. */
const char *rule_text(const struct rule_label *label, char *text);

#endif
