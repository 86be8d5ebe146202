/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a reader of events ended, kept in a file.
 */
#ifndef SOCKACCEPT_CHECKPOINT_H
#define SOCKACCEPT_CHECKPOINT_H

#include <stdbool.h>

#include "enforce/reader.h"
#include "enforce/status.h"

/*
 * Reads the mark in `path`, left by a reader of the same `verdicts` (1 << v for each verdict v). `instance`:
 * kernel_instance() of what is read. A file that is empty or isn't there yet is no error, nor is the mark of a kernel side
 * that isn't loaded any more, which is said: *mark is then before the first event. Says what is wrong otherwise.
 */
enum status checkpoint_read(const char *path, unsigned long long instance, unsigned verdicts, struct reader_mark *mark);

/* Puts the mark into `path`, whole or not at all. Says what is wrong. */
enum status checkpoint_write(const char *path, unsigned long long instance, unsigned verdicts,
			     const struct reader_mark *mark);

#endif
