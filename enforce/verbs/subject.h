/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `identify` is asked about: a program or a process, and what is odd about it.
 */
#ifndef SOCKACCEPT_SUBJECT_H
#define SOCKACCEPT_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enforce/base/status.h"

struct subject {
	int fd;           /* O_PATH, of the file that is judged, or of its directory if `missing`; -1: none */
	char *file;       /* its path; NULL: there is none */
	const char *name; /* the last part of `file` */
	bool missing;     /* there is no such file yet */
	unsigned pid;     /* 0: not a process */
	char *comm;
	bool own_mounts; /* it is in a mount namespace of its own */
	bool has_uid;
	uint32_t uid; /* effective, of the process */
	char *why;
	char **notes;
	size_t note_count;
};

#define SUBJECT_INIT     \
	{                \
		.fd = -1 \
	}

/*
 * Fill an empty `subject` from a path or from the number of a process. For a script, its interpreter is judged. Print what is wrong.
 */
enum status subject_path(struct subject *subject, const char *path);
enum status subject_process(struct subject *subject, const char *pid);

/* Adds a note on what is odd. `format` as printf's. */
void subject_note(struct subject *subject, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Notes that the file of a process is no longer where it was, and whether something else is there. */
void subject_note_unlinked(struct subject *subject);

/* Sets why it has the rules that it has. Copies `why`. */
void subject_why(struct subject *subject, const char *why);

/* Frees and closes what `subject` holds. */
void subject_clear(struct subject *subject);
#define _cleanup_subject_ __attribute__((cleanup(subject_clear)))

#endif
