/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file that the lasting log is written to: its directory, the lock that there is one writer, and the file itself.
 */
#ifndef SOCKACCEPT_LOG_TARGET_H
#define SOCKACCEPT_LOG_TARGET_H

#include <stdbool.h>
#include <sys/types.h>

#include "enforce/base/status.h"

struct log_target {
	const char *path; /* of the log */
	int directory;    /* where it is */
	int lock;         /* held: there is one writer */
	int fd;           /* of the file */
	off_t size;       /* of the file, as far as is known */
};

#define LOG_TARGET_INIT                               \
	{                                             \
		.directory = -1, .lock = -1, .fd = -1 \
	}

/*
 * Opens the directory of `path`, takes the lock, and opens the file to append to it. Makes the file, and the directory if only that is
 * missing. `path` must stay. Prints what is wrong, and returns STATUS_FAILED then, also if another process writes the log. Close it in
 * any case.
 */
enum status log_target_open(struct log_target *target, const char *path);

/* Opens the file that has the log's name now, in the same directory, and closes the old one. Returns 0, or -errno and keeps the old one. */
int log_target_open_file(struct log_target *target);

/*
 * Does the same, and opens the directory anew if the log's path leads to another one now. Prints what is wrong, and returns
 * STATUS_FAILED then: the old file and directory stay open.
 */
enum status log_target_open_anew(struct log_target *target);

/* Prints that the log can't be opened, and why: -errno. Returns STATUS_FAILED. */
enum status log_target_cannot_open(const struct log_target *target, int error);

/* Removes a line from the end of the file that was cut short when the last writer was killed. Returns 0 or -errno. */
int log_target_cut_off_rest(struct log_target *target);

/* Returns true if the file that is open has the log's name. */
bool log_target_has_name(const struct log_target *target);

/* Returns the name of the log in its directory. */
const char *log_target_name(const struct log_target *target);

/* Closes all. */
void log_target_close(struct log_target *target);

#endif
