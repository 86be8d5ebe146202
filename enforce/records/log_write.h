/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing the lasting log: whole lines, appended, each event once, whatever ends the writer in the middle.
 */
#ifndef SOCKACCEPT_LOG_WRITE_H
#define SOCKACCEPT_LOG_WRITE_H

#include <stdio.h>
#include <sys/types.h>

#include "enforce/records/event.h"
#include "enforce/records/log_line.h"

struct log_writer {
	const char *path;
	off_t rotate_bytes;   /* a file that has reached this is rotated */
	unsigned rotate_keep; /* how many rotated files are kept: `path`.1 and so on */
	int directory;        /* that it is in */
	int lock;             /* held: there is one writer */
	int fd;
	off_t size;           /* of the file */
	uint64_t bytes;       /* written, to whatever file */
	off_t source_at;      /* where its last source stands */
	struct log_source source; /* that one */
	struct log_source batch;  /* what stands before the first pending line */

	/* Lines that aren't in the file yet. */
	FILE *stream; /* into `pending` */
	char *pending;
	size_t pending_bytes, pending_room, written;
	struct output output;
	struct event_printer printer;

	bool reopen;       /* the file is another one now, or empty: begin with a source */
	off_t rotate_again; /* when rotation failed: the size at which it is tried again; else 0 */
	int error;         /* -errno of the last write; 0: all is well */
	int64_t failed_at; /* since when, ns since boot */
};

#define LOG_WRITER_INIT { .directory = -1, .lock = -1, .fd = -1 }

/*
 * Opens the log `path`, whose directory is made if only that is missing, for appending; a line that was cut short is
 * removed, and *end says where the log ends (log_end()). How it is rotated must be set already. Says what is wrong, and returns STATUS_FAILED then, also if
 * another process writes it. Close it in any case.
 */
enum status log_writer_open(struct log_writer *writer, const char *path, struct log_source *end);

/*
 * To be called when nothing is pending, before lines are added: `source` stands before them, whether it is written or not.
 * Looks whether somebody has emptied the file, as to make room on a full disk.
 */
void log_begin_batch(struct log_writer *writer, const struct log_source *source);

/*
 * Adds an event, or a source, with what was missed before it. Nothing is written before log_flush(). A source is left out
 * when the last one still says enough, unless something was missed.
 */
void log_add_event(struct log_writer *writer, const struct record *record);
void log_add_source(struct log_writer *writer, const struct log_source *source, const uint64_t missed[VERDICTS]);

/*
 * Writes what was added, and rotates a file that is full. Returns true if all is in the file. Otherwise says why, once,
 * and keeps it: call it again, before anything more is added.
 */
bool log_flush(struct log_writer *writer);

/*
 * Goes on in the file that has the log's name now, which it makes: for logrotate. What isn't in the old file will be in
 * this one. Returns false, and says why, if it can't: it goes on in the old one then.
 */
bool log_reopen(struct log_writer *writer);

/* True if the file that is written has the log's name. */
bool log_has_name(const struct log_writer *writer);

/*
 * As log_reopen(), for a file that has lost its name: the log's directory may be another one too. *end says where the log ends
 * now (log_end()). If the old file has no name at all any more, what isn't in it yet is dropped, and *removed is true: what the log
 * lacks is for the caller to add again. Says what is wrong, and returns STATUS_FAILED then: it goes on in the old file.
 */
enum status log_begin_anew(struct log_writer *writer, struct log_source *end, bool *removed);

/* Closes and frees. What wasn't flushed is dropped. */
void log_writer_close(struct log_writer *writer);

#endif
