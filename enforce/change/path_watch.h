/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Noticing that the paths of rules lead elsewhere than when the rules were made. The rules stay what they are: whoever can switch a
 * link or mount something isn't one who decides on the policy. `refresh` is asked for.
 */
#ifndef SOCKACCEPT_PATH_WATCH_H
#define SOCKACCEPT_PATH_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct path_watch {
	char *said; /* what is amiss, and was said: texts, each with its NUL */
	size_t said_bytes;
	int64_t count; /* of them; -1: it isn't known */
	int64_t at;    /* when to look next, ns since boot */
	bool failed;   /* that it can't be looked at was said */

	/* A look that is under way. */
	pid_t child; /* 0: none is */
	int answer;  /* its pipe */
	int lock;    /* kept for it at first; -1: not any more */
	int64_t began;
	char *text;
	size_t bytes;
};

#define PATH_WATCH_INIT { .count = -1, .answer = -1, .lock = -1 }

/*
 * Begins a look, if it is time: every 5 s, or seldom enough for it to take little of a processor; or goes on with one. Doesn't wait,
 * whatever file system a path leads to. Warns of each path once; again when it has been well between. Paths that this process
 * may not look up are left out.
 */
void path_watch(struct path_watch *watch);

/* Frees what it holds, and ends a look that is under way. */
void path_watch_clear(struct path_watch *watch);

#endif
