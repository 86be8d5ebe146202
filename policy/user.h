/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Users as text: a name that the system knows, or a numeric id. For policy files and for the command line.
 */
#ifndef SOCKACCEPT_USER_H
#define SOCKACCEPT_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names that were looked up: a directory service takes time for each question. Zero-initialised is empty. */
struct user_cache {
	struct known_user *list;
	size_t count;
};

/*
 * Reads one user from `text`, which has no blanks around it. On success, sets *uid and returns NULL. Otherwise leaves *uid as it is,
 * and returns a message to be freed: what is wrong and the remedy. Aborts without memory.
 */
char *user_read(struct user_cache *cache, const char *text, uint32_t *uid);

/* Returns true if user_read() accepts `text`. */
bool user_is_known(struct user_cache *cache, const char *text);

/* Returns true for a name that could be a user's, but that the system doesn't know, or can't look up now. */
bool user_may_come(struct user_cache *cache, const char *text);

/* Frees what it holds, and leaves it empty. */
void user_cache_clear(struct user_cache *cache);

/* Users of a list, each once. Zero-initialised is empty. */
struct user_items {
	uint32_t *list; /* ids */
	char **words;   /* the same users as they were given */
	size_t count;
};

/*
 * Reads one user from `text`, as user_read() does, and adds it unless it is there already. Returns NULL, or a message to be freed:
 * what is wrong and the remedy. Aborts without memory.
 */
char *user_items_add(struct user_items *items, struct user_cache *cache, const char *text);

/* Frees what it holds, and leaves it empty. */
void user_items_clear(struct user_items *items);

#endif
