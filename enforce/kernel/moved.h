/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds rules whose path leads elsewhere now than when they were made, because a symbolic link was changed or a directory was replaced.
 * Until `refresh` they stand for the same file as before.
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
	char **list; /* what is wrong with each such binary, and the remedy */
	size_t count;
	struct waiting waiting;
	bool seen_only; /* set by the caller: leave out paths that this process may not look up */
};

/*
 * Fills `moved`, which is empty but for seen_only, with the binaries of `policy`, the policy in force, whose path leads elsewhere, and
 * with what waits. Changes nothing in the kernel. Prints what is wrong; call moved_clear() in any case.
 */
enum status moved_find(const struct kernel *kernel, const struct policy *policy, struct moved *moved);

/* Frees what `moved` holds, and leaves it empty. */
void moved_clear(struct moved *moved);
#define _cleanup_moved_ __attribute__((cleanup(moved_clear)))

/*
 * Resolves the path of each binary of `policy` anew. If that succeeds, the binary no longer waits, and its number is BINARY_ANY, so that
 * it can be found or given again. Otherwise the binary stays as it is. Sets problems[i] to what is wrong with binary i (to be freed), or
 * NULL.
 */
void moved_resolve(struct policy *policy, char **problems);

#endif
