/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints all counters for Prometheus and its relatives, in the text format that `promtool check metrics` and the node exporter read,
 * with `# EOF` at the end as OpenMetrics wants it.
 */
#ifndef SOCKACCEPT_METRICS_H
#define SOCKACCEPT_METRICS_H

#include <stdint.h>
#include <stdio.h>

#include "enforce/base/status.h"

/*
 * Prints all metrics to `stream`, also those that the last lines of the log `path` tell, or of the usual log if that is NULL. Prints
 * what is wrong. If nothing is loaded, the metrics say that, and it returns STATUS_NOT_LOADED.
 */
enum status metrics_print(FILE *stream, const char *path);

/*
 * Writes them to `file`, which anybody may read, whole or not at all. `moved` is how many paths of rules lead elsewhere, as they
 * aren't looked up again; -1 if that isn't known. Returns 0 or -errno.
 */
int metrics_write_file(const char *file, const char *path, int64_t moved);

#endif
