/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events as lines of the audit log: of JSON, or of a table that fits the terminal.
 */
#ifndef SOCKACCEPT_EVENT_H
#define SOCKACCEPT_EVENT_H

#include "enforce/kernel.h"
#include "enforce/names.h"
#include "enforce/output.h"
#include "enforce/when.h"

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
	struct names names;
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
 * columns are those that the terminal has room for. `kernel` and `output` must stay. Clear the printer in the end.
 */
void event_start(struct event_printer *printer, struct output *output, const struct kernel *kernel, bool utc);

/*
 * Prints one event (DESIGN, section 7, has the fields). Lines are written as they come, or many at once: call
 * output_flush() after the last one that is there. Returns 0, or -errno of the stream.
 */
int event_print(struct event_printer *printer, const struct event *event);

/* Frees what it holds. */
void event_clear(struct event_printer *printer);

#define RULE_TEXT_MAX 128
/* `web: deny any`: section, verdict and port item of a rule, into `text` of RULE_TEXT_MAX bytes; returns it. */
const char *rule_text(const struct rule_label *label, char *text);

#endif
