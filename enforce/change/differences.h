/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compares two policies: for `diff`, and for commands that only have to know whether they differ.
 */
#ifndef SOCKACCEPT_DIFFERENCES_H
#define SOCKACCEPT_DIFFERENCES_H

#include "policy/policy.h"

/* A rule with its policy. Both sides are sorted in one order, in which equal rules meet. */
struct entry {
	const struct policy *policy;
	const struct rule *rule;
};

/* Returns all rules of `policy` in that order, to be freed. */
struct entry *entries_sorted(const struct policy *policy);

/*
 * Compares two entries, as qsort(3) wants it. Returns 0 if they have the same binary, ports, user and verdict, and the same end if they are
 * temporary. Sections are only labels.
 */
int entries_compare(const void *a, const void *b);

/*
 * Returns true if `live` has the mode, the default and the switches of `files` and, apart from temporary ones, the same rules. Both are
 * normalised.
 */
bool policies_are_alike(const struct policy *files, const struct policy *live);

#endif
