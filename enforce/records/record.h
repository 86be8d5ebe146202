/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An event together with the names that it has only numbers of: what filters, tables and sums look at, whether it comes
 * from the kernel or from the lasting log.
 */
#ifndef SOCKACCEPT_RECORD_H
#define SOCKACCEPT_RECORD_H

#include "enforce/records/names.h"

#define RULE_TEXT_MAX 128

struct record {
	const struct event *event;
	const char *binary; /* the path from the machine's own root; NULL: not known */
	const char *hint;   /* where it isn't: what the process itself would see; NULL: not known either */
	const char *unit;   /* NULL: none, or not known */
	const char *rule;   /* `web: deny any`; NULL: none decided */
};

/* Finds the names for a record; keeps those of the last ones. Zero-initialised, but for names.kernel, is empty. */
struct record_maker {
	struct names names;
	struct rule_label label; /* whose text this is */
	char rule[RULE_TEXT_MAX];
	char hint[PATH_ROOM + 1];
};

/* The record of `event`. Its texts are the maker's, or the event's, and stay until the next call. */
struct record record_make(struct record_maker *maker, const struct event *event);

/* Frees what it holds. */
void record_maker_clear(struct record_maker *maker);

/* `web: deny any`: section, verdict and port item of a rule, into `text` of RULE_TEXT_MAX bytes; returns it. */
const char *rule_text(const struct rule_label *label, char *text);

#endif
