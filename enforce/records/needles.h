/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Texts that a line of the lasting log must have to be wanted. Most lines of a long log lack one of them, and needn't be parsed, which
 * takes far longer than a search for a text.
 */
#ifndef SOCKACCEPT_NEEDLES_H
#define SOCKACCEPT_NEEDLES_H

#include <stdbool.h>
#include <stddef.h>

#include "enforce/records/filter.h"

/* Zero-initialised is empty: any line may be wanted. */
struct needles {
	char **list;
	size_t count;
};

/* Finds the texts that stand in each line of an event that `filter` wants. Clear them in the end. */
void needles_find(struct needles *needles, const struct filter *filter);

/* Returns true if the line has all texts: it may be wanted. */
bool needles_are_in(const struct needles *needles, const char *line, size_t length);

/* Frees the texts and leaves the list empty. */
void needles_clear(struct needles *needles);

#endif
