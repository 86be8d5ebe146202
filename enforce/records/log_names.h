/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names of the lasting log's files: the log itself and what was rotated, in order of age.
 */
#ifndef SOCKACCEPT_LOG_NAMES_H
#define SOCKACCEPT_LOG_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct log_name {
	char *text;
	unsigned long age; /* 1 is the log itself; an older file has a greater number */
	bool foreign;      /* compressed, but not with gzip */
};

/* Zero-initialised is empty. */
struct log_names {
	struct log_name *list; /* oldest first */
	size_t count;
};

/*
 * Finds the files of the log `log` in `directory`, a descriptor, and adds them to `names`. If this process may not read the
 * directory, finds the log itself only. Returns 0 or -errno. Clear `names` in any case.
 */
int log_names_find(int directory, const char *log, struct log_names *names);

/* Frees the list and leaves it empty. */
void log_names_clear(struct log_names *names);

/* Returns true if `name` ends as files do that gzip has made. */
bool log_name_is_packed(const char *name);

/* Returns true if gzip makes the file `packed` of the file `text`. */
bool log_name_is_packed_form(const char *packed, const char *text);

#endif
