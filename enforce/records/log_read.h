/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the lasting log: all its files as one, from a point in time on, or the end of it. Memory is bounded, whatever
 * their size.
 */
#ifndef SOCKACCEPT_LOG_READ_H
#define SOCKACCEPT_LOG_READ_H

#include <sys/types.h>

#include "enforce/base/when.h"
#include "enforce/records/log_line.h"

#define LOG_PATH "/var/log/sockaccept/audit.log"

/* One file, as long as it was when it was opened. */
struct log_file {
	int fd;
	ino_t inode;
	off_t size; /* up to its last newline; 0 while it is packed */
	char *name;
	bool packed;   /* with gzip: what is in it is read from `unpacked` */
	int unpacked;  /* -1: it isn't yet, or isn't any more */
	bool damaged;  /* that was told */
};

/* Zero-initialised is empty. */
struct log_reader {
	struct log_file *files; /* oldest first */
	size_t count;
	size_t unreadable; /* files that this process may not read, and that are left out */
	size_t foreign;    /* files that are compressed, but not with gzip, and are left out */
	char *directory;   /* that they are in */
	/* Told of a file of which not all can be read; NULL: nobody is. */
	void (*tell)(const char *format, ...) __attribute__((format(printf, 1, 2)));
	char boot_id[BOOT_ID_MAX]; /* of this boot */
	struct when_now now;       /* when it was opened */

	size_t file; /* the one that is read */
	off_t next;  /* of it, what to read next */
	char *buffer;
	size_t room, filled, taken;
	struct log_source source;  /* of the lines that come next; boot_id "": none yet */
};

/*
 * Opens the log `path`: this file, and `path`.1, `path`.2, or `path`-20261125 as logrotate names those with a date.
 * Those that are compressed with gzip are unpacked when it comes to them, one at a time; of a damaged one, what can be read is.
 * Returns 0, also if there is none, or -errno; close it in any case.
 */
int log_open(struct log_reader *reader, const char *path);

/* Where the last whole line of a file of `size` bytes ends. Returns that, or -errno. */
off_t log_end_of_lines(int fd, off_t size);

/* True if there is anything in it. */
bool log_has_lines(const struct log_reader *reader);

/*
 * The kernel side that the log's last lines are of, and the point in it from which reading can go on; boot_id is "" if
 * there is none. Returns 0 or -errno; goes to the first line.
 */
int log_end(struct log_reader *reader, struct log_source *end);

/* Goes to the first line. */
void log_rewind(struct log_reader *reader);

/*
 * Goes to a line before which there is none from after `since`, in ns since boot, and not many more than there have to be. Of
 * earlier boots, this can only go by what the clock was set to. Returns 0 or -errno.
 */
int log_seek_time(struct log_reader *reader, int64_t since);

/*
 * Goes to the first line that can be behind `mark` of this kernel side. Returns 0 or -errno; true in *found if it is
 * there, otherwise it went to the first line.
 */
int log_seek_mark(struct log_reader *reader, const struct log_source *at, bool *found);

/*
 * Goes back by a stretch of the log: to a source, or where a file begins. At the first call *file is the number of files and
 * *offset 0; each further call is for the stretch before. Up to *end of the same file it can be read; 0: there is none.
 * Returns 0 or -errno.
 */
int log_seek_back(struct log_reader *reader, size_t *file, off_t *offset, off_t *end);

/* True if the next line is a source, found by seeking, and all before it is from before `since`, in ns since boot. */
bool log_is_before(const struct log_reader *reader, int64_t since);

/*
 * The next line, without its newline, valid until the next call; NULL: that was the last. Keeps `source` up to date. Lines
 * longer than any of ours are left out. Returns 0 or -errno.
 */
int log_next(struct log_reader *reader, const char **line, size_t *length);

/* The place where the next line begins. */
void log_tell(const struct log_reader *reader, size_t *file, off_t *offset);

/* True if the next line is at or behind this place. */
bool log_is_at(const struct log_reader *reader, size_t file, off_t offset);

/* When an event with this time was, in ns since this boot: negative for earlier ones. */
int64_t log_boot_time(const struct log_reader *reader, int64_t real);

/* Closes and frees. */
void log_close(struct log_reader *reader);

#endif
