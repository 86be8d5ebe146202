/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds places in the lasting log: by time, by a mark, from its end backwards. Goes from source to source (log_line.h), so that most lines
 * needn't be read.
 */
#ifndef SOCKACCEPT_LOG_SEEK_H
#define SOCKACCEPT_LOG_SEEK_H

#include "enforce/records/log_read.h"

/*
 * Finds where the log ends: the kernel side of its last lines, and the point in it from which reading can go on. Sets end->boot_id to
 * "" if there is none. Returns 0 or -errno. Goes to the first line.
 */
int log_end(struct log_reader *reader, struct log_source *end);

/*
 * Goes to a line before which no event is from after `since`, in ns since boot, and close to the last such line. For earlier
 * boots it can only go by what the clock was set to. Returns 0 or -errno.
 */
int log_seek_time(struct log_reader *reader, int64_t since);

/*
 * Goes to the first line that can be behind the mark of `at`. Sets *found to true if it is there; otherwise goes to the first line of
 * all. Returns 0 or -errno.
 */
int log_seek_mark(struct log_reader *reader, const struct log_source *at, bool *found);

/*
 * Goes back by a stretch of the log: to a source, or to where a file begins. At the first call *file is the number of files and
 * *offset 0; each further call is for the stretch before. The stretch ends at *end in the same file; 0 if there is none before.
 * Returns 0 or -errno.
 */
int log_seek_back(struct log_reader *reader, size_t *file, off_t *offset, off_t *end);

/* Returns true if the next line is a source, found by seeking, and all before it is from before `since`, in ns since boot. */
bool log_is_before(const struct log_reader *reader, int64_t since);

#endif
