/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Adds up connections and denials by a text, such as a path or an address.
 */
#ifndef SOCKACCEPT_SUMS_H
#define SOCKACCEPT_SUMS_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/shared/sockaccept.h"

/* How many texts are kept apart. Whoever can make up more, such as peers of IPv6, can't fill the memory. */
#define SUMS_MOST 65536

struct sum {
	char *text;
	uint64_t count[VERDICTS];
	int64_t first; /* time of its first event, ns since 1970 */
};

/* Zero-initialised is empty. */
struct sums {
	void *tree;
	struct sum **list; /* in the order of their first events, until they are sorted */
	size_t count, room;
	uint64_t others[VERDICTS]; /* the sum of all further texts */
};

/* Adds `count` to the sum of `text`, which is copied, or to the others. `real` is the time of the event, ns since 1970. */
void sums_add(struct sums *sums, const char *text, unsigned verdict, uint64_t count, int64_t real);

/* Returns the sum of `text`, or NULL. */
struct sum *sums_find(const struct sums *sums, const char *text);

/* Sorts the list by the count of one verdict, highest first, then by text. */
void sums_sort(struct sums *sums, unsigned verdict);

/* Sorts the list by the times of the first events, the latest first, then by text. */
void sums_sort_by_first(struct sums *sums);

/* Frees all sums, and leaves it empty. */
void sums_clear(struct sums *sums);

#endif
