/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules that wait: their path leads nowhere now, or their user isn't known.
 */
#ifndef SOCKACCEPT_WAITING_H
#define SOCKACCEPT_WAITING_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"

/* Of so many, a text names each; of the others it has the number. */
#define WAITING_SHOWN 20

/* Zero-initialised is empty. */
struct waiting {
	struct waiting_entry {
		size_t binary; /* index in the policy */
		char *why;
		bool lost; /* its rules still stand for what the path led to, as moved_find() says */
		bool user; /* only its rules for an unknown user wait */
	} *list;
	size_t count;
};

/*
 * Fills `waiting`, which is empty, with what waits in `policy`, a live one. problems[i]: why no rule can be made for binary i
 * now, or NULL; `problems` can be NULL.
 */
void waiting_find(const struct policy *policy, char *const *problems, struct waiting *waiting);

/* Which binaries wait, by index, to be freed. Of the others a rule waits if its user isn't known. */
bool *waiting_binaries(const struct policy *policy, const struct waiting *waiting);

/* Frees what it holds; it is empty then. */
void waiting_clear(struct waiting *waiting);

#endif
