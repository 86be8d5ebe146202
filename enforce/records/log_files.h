/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The open files of the lasting log. Files of gzip are unpacked when they are read, one at a time.
 */
#ifndef SOCKACCEPT_LOG_FILES_H
#define SOCKACCEPT_LOG_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Lines of the log have some hundred bytes; with the longest path, and each byte escaped, 27,000. */
#define LOG_LINE_MAX 32768

/* One file, as long as it was when it was opened. */
struct log_file {
	int fd;
	ino_t inode;
	off_t size; /* up to its last newline; 0 while it is packed */
	char *name;
	bool packed;  /* with gzip: its text is in `unpacked` */
	int unpacked; /* -1: not unpacked, or closed again */
	bool damaged; /* `tell` was called for it */
};

/* Zero-initialised is empty. */
struct log_files {
	struct log_file *list; /* oldest first */
	size_t count;
	size_t unreadable; /* files that were left out, as this process may not read them */
	size_t foreign;    /* files that were left out, as they are compressed, but not with gzip */
	char *directory;   /* where they are; ends with '/' */
	/* Called for a file that can be read in part only; NULL: nobody is told. */
	void (*tell)(const char *format, ...) __attribute__((format(printf, 1, 2)));
};

/*
 * Opens the log `path`: this file, and `path`.1, `path`.2, or `path`-20261125 as logrotate names those with a date. Returns 0, also if
 * there is no log, or -errno. Close `files` in any case.
 */
int log_files_open(struct log_files *files, const char *path);

/* Returns true if there is any text, or a packed file. */
bool log_files_have_text(const struct log_files *files);

/*
 * Makes the text of the file at `index` readable, if it is packed, and closes the text of all others. Of a damaged file, what can
 * be read is. Returns 0 or -errno.
 */
int log_files_unpack(struct log_files *files, size_t index);

/* Reads the first line of a file into `text`, and returns its length without the newline; 0 if there is none. Unpacks no more than that. */
size_t log_file_first_line(const struct log_file *file, char text[LOG_LINE_MAX]);

/* Returns where the last whole line of a file of `size` bytes ends, or -errno. */
off_t log_end_of_lines(int fd, off_t size);

/* Closes and frees all, and leaves it empty. */
void log_files_close(struct log_files *files);

#endif
