/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections and denials summed up by a text, such as a path or an address.
 */
#ifndef SOCKACCEPT_SUMS_H
#define SOCKACCEPT_SUMS_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/shared/sockaccept.h"

/* Texts that are kept apart: whoever can make up more, such as peers of IPv6, can't fill the memory. */
#define SUMS_MOST 65536

struct sum {
	char *text;
	uint64_t count[VERDICTS];
	int64_t first; /* when it was added first, ns since 1970 */
};

/* Zero-initialised is empty. */
struct sums {
	void *tree;
	struct sum **list; /* as they came; sums_sort() changes that */
	size_t count, room;
	uint64_t others[VERDICTS]; /* what found no place */
};

/* Adds to the sum of `text`, which is copied, or to the others. */
void sums_add(struct sums *sums, const char *text, unsigned verdict, uint64_t count, int64_t real);

/* The sum of `text`, or NULL. */
struct sum *sums_find(const struct sums *sums, const char *text);

/* Sorts the list by the count of one verdict, highest first, then by text. */
void sums_sort(struct sums *sums, unsigned verdict);

/* Sorts the list by when they were first, the latest first. */
void sums_sort_by_first(struct sums *sums);

/* Frees what it holds. */
void sums_clear(struct sums *sums);

#endif
