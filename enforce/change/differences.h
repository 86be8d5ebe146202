/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two policies side by side: for `diff`, and for who only wants to know whether they differ.
 */
#ifndef SOCKACCEPT_DIFFERENCES_H
#define SOCKACCEPT_DIFFERENCES_H

#include "policy/policy.h"

/* Rules of both sides in one order, in which equal ones meet. */
struct entry {
	const struct policy *policy;
	const struct rule *rule;
};

/* All rules of `policy` in that order, to be freed. */
struct entry *entries_sorted(const struct policy *policy);

/* 0: the same binary, ports, user and verdict, and the same end if it is temporary. Sections are only labels. */
int entries_compare(const void *a, const void *b);

/* True if `live` has the mode, the default and the switches of `files`, and, but for temporary ones, the same rules. Both are normalised. */
bool policies_are_alike(const struct policy *files, const struct policy *live);

#endif
