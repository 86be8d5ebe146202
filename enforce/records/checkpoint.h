/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeps in a file where a reader of events ended, so that the next one goes on there (`audit --checkpoint`).
 */
#ifndef SOCKACCEPT_CHECKPOINT_H
#define SOCKACCEPT_CHECKPOINT_H

#include "enforce/base/status.h"
#include "enforce/records/log_line.h"

/*
 * Reads the place from the file `path` into *at. `verdicts` has the bit 1 << v for each verdict v that is read; the place must be from a
 * reader of the same. If the file is empty or isn't there yet, sets at->boot_id to "". Otherwise prints what is wrong, and returns
 * STATUS_USAGE for other verdicts, else STATUS_FAILED.
 */
enum status checkpoint_read(const char *path, unsigned verdicts, struct log_source *at);

/* Writes the place to the file `path`, whole or not at all. Prints what is wrong, and returns STATUS_FAILED then. */
enum status checkpoint_write(const char *path, unsigned verdicts, const struct log_source *at);

#endif
