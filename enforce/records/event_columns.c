/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fits a table of events into the terminal: chooses columns, and cuts what is too long.
 */
#include "enforce/records/event_columns.h"

#include <stdio.h>
#include <string.h>

#include "enforce/base/escape.h"
#include "enforce/records/record.h"

/* What fits 80 columns, with an IPv4 address. */
static const unsigned narrow[EVENT_COLUMNS] = {
	[COLUMN_TIME] = 14, [COLUMN_VERDICT] = 7, [COLUMN_COUNT] = 6, [COLUMN_BINARY] = 17, [COLUMN_PORT] = 11, [COLUMN_PEER] = 15
};
#define NARROW 80
#define PEER_AND_PORT 21

/* What a wider terminal adds, in this order. */
static const struct {
	enum event_column column;
	unsigned wider;
} wishes[] = { { COLUMN_PEER, PEER_AND_PORT - 15 }, { COLUMN_BINARY, 11 }, { COLUMN_USER, 8 }, { COLUMN_UNIT, 22 }, { COLUMN_RULE, 30 } };
#define GAP 2 /* blanks before a column; the wish for a new column includes them */

void event_columns_choose(struct event_columns *columns, unsigned width, bool utc)
{
	unsigned room = width > NARROW ? width - NARROW : 0, count = 0;

	*columns = (struct event_columns){ .utc = utc };
	memcpy(columns->widths, narrow, sizeof(narrow));
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]) && wishes[i].wider <= room; i++) {
		unsigned *column = &columns->widths[wishes[i].column];

		*column += *column ? wishes[i].wider : wishes[i].wider - GAP;
		room -= wishes[i].wider;
	}
	columns->widths[COLUMN_BINARY] += room;
	columns->peer_port = !width || columns->widths[COLUMN_PEER] >= PEER_AND_PORT;
	for (size_t i = 0; i < EVENT_COLUMNS; i++)
		if (columns->widths[i])
			columns->shown[count++] = columns->widths[i];
}

const char *event_heading(const struct event_columns *columns, enum event_column column)
{
	static const char *const headings[EVENT_COLUMNS] = { "TIME", "VERDICT", "COUNT", "BINARY", "USER", "UNIT", "PORT", "PEER", "RULE" };

	if (!columns->widths[column])
		return NULL;
	return column == COLUMN_TIME && columns->utc ? "TIME (UTC)" : headings[column];
}

void event_cell(const struct event_columns *columns, struct output *output, enum event_column column, const char *text)
{
	const char *label = event_heading(columns, column);
	size_t width = columns->widths[column], length = text ? strlen(text) : 0;
	char cut[RULE_TEXT_MAX + sizeof(struct unit)];

	if (!label)
		return;
	if (!text || !output->width || escape_width(text) <= width) {
		output_text(output, NULL, label, text);
		return;
	}
	do {
		length--;
		snprintf(cut, sizeof(cut), "%.*s...", (int)length, text);
	} while (length && (escape_width(cut) > width || (text[length] & 0xc0) == 0x80));
	output_text(output, NULL, label, cut);
}

void event_cell_path(const struct event_columns *columns, struct output *output, const char *path)
{
	unsigned width = columns->widths[COLUMN_BINARY];
	char shortened[PATH_ROOM + 8];

	if (output->width && escape_width(path) > width) {
		do
			path++;
		while (escape_width(path) + 3 > width || (*path & 0xc0) == 0x80);
		snprintf(shortened, sizeof(shortened), "...%s", path);
		path = shortened;
	}
	event_cell(columns, output, COLUMN_BINARY, path);
}
