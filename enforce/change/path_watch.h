/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Notices that paths of rules lead elsewhere than when the rules were made. The rules stay as they are, as whoever can switch a link or
 * mount something doesn't decide on the policy: the administrator is asked for a `refresh`.
 */
#ifndef SOCKACCEPT_PATH_WATCH_H
#define SOCKACCEPT_PATH_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct path_watch {
	char *said; /* what was warned of: texts, each with its NUL */
	size_t said_bytes;
	int64_t count; /* paths that lead elsewhere; -1: not known */
	int64_t at;    /* when to look next, ns since boot */
	bool failed;   /* it couldn't be told, and that was warned of */

	/* The look that is under way. */
	pid_t child; /* 0: none */
	int answer;  /* the child's pipe */
	int lock;    /* the change lock, for the first second; -1: not held */
	int64_t began;
	char *text;
	size_t bytes;
};

#define PATH_WATCH_INIT                               \
	{                                             \
		.count = -1, .answer = -1, .lock = -1 \
	}

/*
 * Begins a look if it is time, every 5 s or more seldom where looking takes long; or goes on with one. Never waits, whatever file system a
 * path leads to. Warns of each path once, and again when it was well in between. Leaves out paths that this process may not look up.
 */
void path_watch(struct path_watch *watch);

/* Ends a look that is under way, frees what `watch` holds and leaves it as PATH_WATCH_INIT. */
void path_watch_clear(struct path_watch *watch);

#endif
