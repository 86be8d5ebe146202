/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decides which events are wanted: what the options of `audit` and `report` ask for.
 */
#ifndef SOCKACCEPT_FILTER_H
#define SOCKACCEPT_FILTER_H

#include "bpf/shared/sockaccept.h"
#include "enforce/base/items.h"
#include "enforce/base/prefix.h"
#include "enforce/records/reader.h"
#include "enforce/records/record.h"

struct filter {
	int64_t since, until; /* ns since boot */
	bool has_until;
	bool utc;           /* times are given and shown in UTC */
	unsigned verdicts;  /* VERDICT_BIT() of each verdict that is wanted */
	const char *binary; /* a path, or a file name; NULL: any */
	char *resolved;     /* the path that links in `binary` lead to; NULL: the same */
	struct port_items ports;
	struct user_items users;
	const char *unit; /* NULL: any */
	bool has_peer;
	struct prefix peer;
};

/* Returns true if the event is wanted. */
bool filter_matches(const struct filter *filter, const struct record *record);

/* Frees the path, the ports and the users. */
void filter_clear(struct filter *filter);

#endif
