/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The columns of a table of events, as many and as wide as the terminal has room for.
 */
#ifndef SOCKACCEPT_EVENT_COLUMNS_H
#define SOCKACCEPT_EVENT_COLUMNS_H

#include "enforce/base/output.h"

enum event_column {
	COLUMN_TIME,
	COLUMN_VERDICT,
	COLUMN_COUNT,
	COLUMN_BINARY,
	COLUMN_USER,
	COLUMN_UNIT,
	COLUMN_PORT,
	COLUMN_PEER,
	COLUMN_RULE,
	EVENT_COLUMNS,
};

struct event_columns {
	bool utc;                       /* the times are in UTC */
	bool peer_port;                 /* there is room for it */
	unsigned widths[EVENT_COLUMNS]; /* 0: not shown. Without a terminal, a path may be longer */
	unsigned shown[EVENT_COLUMNS];  /* the widths of the columns that are shown, without gaps */
};

/*
 * Chooses the columns for a terminal that is `width` columns wide; 0 if there is none, and lines may have any length. `utc` says that
 * the times will be in UTC.
 */
void event_columns_choose(struct event_columns *columns, unsigned width, bool utc);

/* Returns the heading of a column; NULL if it isn't shown. */
const char *event_heading(const struct event_columns *columns, enum event_column column);

/* Prints a cell that has no member of JSON of its own, if its column is shown. Cuts the end of a text that is too long for the terminal. */
void event_cell(const struct event_columns *columns, struct output *output, enum event_column column, const char *text);

/* Prints the cell of a binary. Cuts the start of a path that is too long for the terminal: its end says most. */
void event_cell_path(const struct event_columns *columns, struct output *output, const char *path);

#endif
