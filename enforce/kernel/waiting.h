/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds rules that wait, because their path leads nowhere now or their user isn't known.
 */
#ifndef SOCKACCEPT_WAITING_H
#define SOCKACCEPT_WAITING_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"

/* A text names this many of them at most, and gives the number of the others. */
#define WAITING_SHOWN 20

/* Zero-initialised is empty. */
struct waiting {
	struct waiting_entry {
		size_t binary; /* index in the policy */
		char *why;
		bool lost; /* its rules still stand for what the path led to before, as moved_find() tells */
		bool user; /* only its rules for an unknown user wait */
	} * list;
	size_t count;
};

/*
 * Fills `waiting`, which must be empty, with what waits in `policy`, a policy in force. problems[i] is why no rule can be made for
 * binary i now, or NULL; `problems` can be NULL.
 */
void waiting_find(const struct policy *policy, char *const *problems, struct waiting *waiting);

/* Returns which binaries wait, by index, to be freed. A rule of another binary waits if its user isn't known. */
bool *waiting_binaries(const struct policy *policy, const struct waiting *waiting);

/* Frees what `waiting` holds, and leaves it empty. */
void waiting_clear(struct waiting *waiting);

#endif
