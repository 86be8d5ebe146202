/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is counted, as text for Prometheus and its relatives: the format of OpenMetrics, with counters named in full in
 * their TYPE lines, which is how the older text format wants them that `promtool check metrics` and the node
 * exporter read.
 */
#ifndef SOCKACCEPT_METRICS_H
#define SOCKACCEPT_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bpf/sockaccept.h"
#include "enforce/status.h"

/* What a daemon has done with events since it began. */
struct metrics_log {
	uint64_t events;              /* written */
	uint64_t missed[VERDICTS];    /* and missed, by verdict */
	bool writable;                /* the last try to write was well */
};

/*
 * Prints all metrics to `stream`; `log` may be NULL. Says what is wrong. Without a kernel side prints that nothing is
 * loaded, and returns STATUS_NOT_LOADED.
 */
enum status metrics_print(FILE *stream, const struct metrics_log *log);

/* Writes them to the file `path`, which anybody may read, in one step. Returns 0 or -errno. */
int metrics_write_file(const char *path, const struct metrics_log *log);

#endif
