/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a reader of events ended, kept in a file.
 */
#ifndef SOCKACCEPT_CHECKPOINT_H
#define SOCKACCEPT_CHECKPOINT_H

#include "enforce/base/status.h"
#include "enforce/records/log_line.h"

/*
 * Reads the place in `path`, left by a reader of the same `verdicts` (1 << v for each verdict v). A file that is empty or
 * isn't there yet is no error: at->boot_id is then "". Says what is wrong otherwise.
 */
enum status checkpoint_read(const char *path, unsigned verdicts, struct log_source *at);

/* Puts the place into `path`, whole or not at all. Says what is wrong. */
enum status checkpoint_write(const char *path, unsigned verdicts, const struct log_source *at);

#endif
