/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes the lasting log: appends whole lines, each event once, also if the writer is killed in the middle.
 */
#ifndef SOCKACCEPT_LOG_WRITE_H
#define SOCKACCEPT_LOG_WRITE_H

#include <stdio.h>
#include <sys/types.h>

#include "enforce/records/event_print.h"
#include "enforce/records/log_line.h"
#include "enforce/records/log_target.h"

struct log_writer {
	struct log_target target;
	off_t rotate_bytes;       /* a file of this size is rotated */
	unsigned rotate_keep;     /* how many rotated files are kept: `path`.1 and so on */
	uint64_t bytes;           /* written, to whatever file */
	off_t source_at;          /* where the last source of the file stands */
	struct log_source source; /* that one */
	struct log_source batch;  /* what stands before the first pending line */

	/* Lines that aren't in the file yet. */
	FILE *stream; /* into `pending` */
	char *pending;
	size_t pending_bytes, pending_room, written;
	struct output output;
	struct event_printer printer;

	bool reopen;        /* the file is another one now, or empty: begin with a source */
	off_t rotate_again; /* the size at which a rotation that failed is tried again; else 0 */
	int error;          /* -errno of the last write, or 0 */
	int64_t failed_at;  /* since when writing fails, ns since boot */
};

#define LOG_WRITER_INIT                   \
	{                                 \
		.target = LOG_TARGET_INIT \
	}

/*
 * Opens the log `path` to append to it (log_target_open()), cuts off a line that isn't whole, and sets *end to where the log ends
 * (log_end()). Set rotate_bytes and rotate_keep before. Prints what is wrong, and returns STATUS_FAILED then, also if another process
 * writes the log. Close it in any case.
 */
enum status log_writer_open(struct log_writer *writer, const char *path, struct log_source *end);

/*
 * Begins a batch of lines; call it when nothing is pending. `source` is what stands before them, whether it is written or not.
 * Notices if somebody has emptied the file, as to make room on a full disk.
 */
void log_begin_batch(struct log_writer *writer, const struct log_source *source);

/* Adds an event. It is written by log_flush(). */
void log_add_event(struct log_writer *writer, const struct record *record);

/* Adds a source, with what was missed before it. Leaves it out when the last source still says enough and nothing was missed. */
void log_add_source(struct log_writer *writer, const struct log_source *source, const uint64_t missed[VERDICTS]);

/*
 * Writes what was added, and rotates a file that is full. Returns true if all is in the file. Otherwise warns once and keeps the
 * lines: call it again before anything more is added.
 */
bool log_flush(struct log_writer *writer);

/*
 * Goes on in the file that has the log's name now, and makes it if it isn't there: for logrotate. Lines that aren't in the old file go
 * to the new one. If that fails, warns, goes on in the old file, and returns false.
 */
bool log_reopen(struct log_writer *writer);

/*
 * Does what log_reopen() does for a file that has lost its name: the log's path may also lead to another directory now. Sets *end to where
 * the log ends now (log_end()). If the old file was removed, sets *removed and drops the lines that aren't in it yet: the caller adds again
 * what the log lacks. Prints what is wrong, and returns STATUS_FAILED then: it goes on in the old file.
 */
enum status log_begin_anew(struct log_writer *writer, struct log_source *end, bool *removed);

/* Closes and frees. Lines that weren't flushed are dropped. */
void log_writer_close(struct log_writer *writer);

#endif
