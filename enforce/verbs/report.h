/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What report.c adds up and report_print.c prints.
 */
#ifndef SOCKACCEPT_REPORT_H
#define SOCKACCEPT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "enforce/base/output.h"
#include "enforce/records/history.h"
#include "enforce/records/sums.h"

enum kind {
	KIND_BINARY,
	KIND_PORT,
	KIND_PEER,
	KIND_RULE,
	KINDS
};

struct report {
	struct filter filter; /* with no time limits: lines from before the period tell what isn't new */
	int64_t since, until; /* the period: ns since boot */
	bool has_until;
	size_t top; /* show at most this many lines of each table */
	struct history history;
	struct sums sums[KINDS];
	struct sums before, pairs; /* (binary, port), before the period and in it */
	uint64_t count[VERDICTS];  /* of events in the period */
	uint64_t missed;
	struct output output;
	bool utf8; /* the terminal can show block elements */
};

/* Prints it all to report->output, which is started, and ends that. */
void report_print(struct report *report);

#endif
