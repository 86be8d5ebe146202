/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules whose path leads elsewhere by now than when they were made: a symbolic link was changed, or a directory
 * was replaced. They stand for what they stood for until `refresh`.
 */
#ifndef SOCKACCEPT_MOVED_H
#define SOCKACCEPT_MOVED_H

#include <stdbool.h>
#include <stddef.h>

#include "enforce/kernel/kernel.h"
#include "enforce/kernel/waiting.h"
#include "policy/policy.h"

/* Zero-initialised is empty. */
struct moved {
	char **list; /* for each such binary what is amiss, and the remedy */
	size_t count;
	struct waiting waiting;
	bool seen_only; /* set before: what may not be looked up is left out */
};

/*
 * Fills `moved`, which is otherwise empty, with the binaries of `policy`, the live one, that are such, and with what waits. Changes
 * nothing. Says what is wrong.
 */
enum status moved_find(const struct kernel *kernel, const struct policy *policy, struct moved *moved);

/* Frees what it holds; it is empty then. */
void moved_clear(struct moved *moved);

/*
 * Resolves the path of each binary of `policy` anew. Where that succeeds, its number is BINARY_ANY, to be found or given, and it
 * doesn't wait; where it doesn't, the binary stays as it is, and problems[i] says why (to be freed; otherwise NULL).
 */
void moved_resolve(struct policy *policy, char **problems);

#endif
