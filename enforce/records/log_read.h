/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the lasting log line by line, all its files as one. Memory is bounded, whatever their size.
 */
#ifndef SOCKACCEPT_LOG_READ_H
#define SOCKACCEPT_LOG_READ_H

#include <sys/types.h>

#include "enforce/base/when.h"
#include "enforce/records/log_files.h"
#include "enforce/records/log_line.h"

#define LOG_PATH "/var/log/sockaccept/audit.log"

/* Zero-initialised is empty. */
struct log_reader {
	struct log_files files;
	char boot_id[BOOT_ID_MAX]; /* of this boot */
	struct when_now now;       /* when it was opened */

	size_t file; /* the file that is read, by its place in `files` */
	off_t next;  /* the byte of it that follows what is in `buffer` */
	char *buffer;
	size_t room, filled, taken;
	struct log_source source; /* of the lines that come next; boot_id "": not known yet */
};

/* Opens the log `path`, with all its files (log_files_open()). Returns 0, also if there is no log, or -errno. Close it in any case. */
int log_open(struct log_reader *reader, const char *path);

/*
 * Reads the next line into *line, without its newline, valid until the next call; NULL after the last one. Keeps `source` up to date. Skips
 * lines longer than LOG_LINE_MAX. Returns 0 or -errno.
 */
int log_next(struct log_reader *reader, const char **line, size_t *length);

/* Reads the next line of this file as log_next() does; NULL at the end of the file. Doesn't look for sources. */
int log_next_of_file(struct log_reader *reader, const char **line, size_t *length);

/* Goes to the byte `offset` of a file, and forgets the source. */
void log_go_to(struct log_reader *reader, size_t file, off_t offset);

/* Goes to the first line. */
void log_rewind(struct log_reader *reader);

/* Returns where in its file the next line begins. */
off_t log_position(const struct log_reader *reader);

/* Finds the place where the next line begins. */
void log_tell(const struct log_reader *reader, size_t *file, off_t *offset);

/* Returns true if the next line is at or behind this place. */
bool log_is_at(const struct log_reader *reader, size_t file, off_t offset);

/* Returns when an event was that the log dates `real`, in ns since this boot; negative for earlier boots. */
int64_t log_boot_time(const struct log_reader *reader, int64_t real);

/* Closes and frees. */
void log_close(struct log_reader *reader);

#endif
