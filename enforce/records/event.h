/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events as lines of the audit log: of JSON, or of a table that fits the terminal.
 */
#ifndef SOCKACCEPT_EVENT_H
#define SOCKACCEPT_EVENT_H

#include "enforce/base/output.h"
#include "enforce/base/when.h"
#include "enforce/kernel/family.h"
#include "enforce/records/record.h"

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

struct event_printer {
	struct output *output;
	bool utc;
	int64_t tai_offset;             /* seconds that CLOCK_TAI is ahead of UTC */
	int64_t second;                 /* of UTC, whose texts these are */
	char exact[WHEN_TEXT_MAX], brief[WHEN_TEXT_MAX];
	bool peer_port;                 /* there is room for it */
	unsigned widths[EVENT_COLUMNS]; /* 0: not shown; the text of a binary may be longer only if nobody watches */
	unsigned shown[EVENT_COLUMNS];  /* the same of those that are shown */
};

/*
 * Makes `output` print events, one a line; with times in UTC if `utc`, which in JSON they always are. The
 * columns are those that the terminal has room for. `output` must stay.
 */
void event_start(struct event_printer *printer, struct output *output, bool utc);

/*
 * Prints one event (DESIGN, section 7, has the fields). Lines are written as they come, or many at once: call
 * output_flush() after the last one that is there. Returns 0, or -errno of the stream.
 */
int event_print(struct event_printer *printer, const struct record *record);

/* The event's time, ns since 1970, as the clock was set. */
int64_t event_real(const struct event *event);

/* True if the event is about accept(2) or listen(2). */
bool event_is_about_listener(const struct event *event);

#define EVENT_PORT_MAX 32
/* `80/tcp`, or what of that is common to its repeats: the port that rules are about, into `text` of EVENT_PORT_MAX bytes; returns it. */
const char *event_port(const struct event *event, char *text);

/* The words of JSON for enum reason and enum operation. */
extern const char *const event_reason_words[REASONS];
extern const char *const event_operation_words[OPERATIONS];

#endif
