/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Users as text: a name that the system knows, or a numeric id.
 */
#ifndef SOCKACCEPT_USER_H
#define SOCKACCEPT_USER_H

#include <stddef.h>
#include <stdint.h>

/* Names that were looked up: in a directory service each question takes its time. Zero-initialised is empty. */
struct user_cache {
	struct known_user *list;
	size_t count;
};

/*
 * Reads one user from `text` (no blanks around it). On success sets *uid and returns NULL. Otherwise *uid is
 * untouched and a message is returned, to be freed: what is wrong and the remedy. Aborts without memory.
 */
char *user_read(struct user_cache *cache, const char *text, uint32_t *uid);

/* Frees what it holds and leaves it empty. */
void user_cache_clear(struct user_cache *cache);

#endif
