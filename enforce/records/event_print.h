/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints events as lines of the audit log: of JSON, or of a table that fits the terminal.
 */
#ifndef SOCKACCEPT_EVENT_PRINT_H
#define SOCKACCEPT_EVENT_PRINT_H

#include "enforce/base/output.h"
#include "enforce/base/when.h"
#include "enforce/records/event_columns.h"
#include "enforce/records/record.h"

struct event_printer {
	struct output *output;
	struct event_columns columns;
	int64_t tai_offset; /* seconds that CLOCK_TAI is ahead of UTC */
	int64_t second;     /* of UTC: `exact` and `brief` are its texts */
	char exact[WHEN_TEXT_MAX], brief[WHEN_TEXT_MAX];
};

/*
 * Prepares `output`, which must stay, to print events, one a line. Times in the table are in UTC if `utc` is set; in JSON they always
 * are. Chooses the columns that the terminal has room for.
 */
void event_start(struct event_printer *printer, struct output *output, bool utc);

/*
 * Prints one event (sockaccept-ctl(8) has the members). Lines may be kept back and written together: call output_flush() after the
 * last event that is there. Returns 0, or -errno of the stream.
 */
int event_print(struct event_printer *printer, const struct record *record);

#endif
