/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is counted, as text for Prometheus and its relatives, in the text format that `promtool check metrics` and the
 * node exporter read, ended by `# EOF` as OpenMetrics wants it.
 */
#ifndef SOCKACCEPT_METRICS_H
#define SOCKACCEPT_METRICS_H

#include <stdint.h>
#include <stdio.h>

#include "enforce/base/status.h"

/*
 * Prints all metrics to `stream`; of the lasting log `path`, or the usual one if that is NULL, those that its last lines tell.
 * Says what is wrong. Without a kernel side prints that nothing is loaded, and returns STATUS_NOT_LOADED.
 */
enum status metrics_print(FILE *stream, const char *path);

/*
 * Writes them to `file`, which anybody may read, in one step. `moved`: how many paths of rules lead elsewhere, which isn't looked
 * at anew; -1: not known. Returns 0 or -errno.
 */
int metrics_write_file(const char *file, const char *path, int64_t moved);

#endif
