/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counters by binary, port and verdict.
 */
#ifndef SOCKACCEPT_PORTS_H
#define SOCKACCEPT_PORTS_H

#include "enforce/kernel/kernel.h"
#include "policy/policy.h"

/*
 * Takes places in the table for the single ports that the rules of `policy` name, so that a binary which uses
 * port after port can't take them. Returns 0 or -errno; a full table is no error.
 */
int ports_reserve(const struct kernel *kernel, const struct policy *policy);

/*
 * Calls `each` for every key that was counted, with `context`. Returns 0 or -errno.
 */
int ports_walk(const struct kernel *kernel, void (*each)(uint64_t key, const struct tally *tally, void *context),
	       void *context);

/* A copy of a counter that is being added to: never more connections than decisions. */
struct tally tally_read(const struct tally *live);

/* How many decisions had no connection, or have none yet. */
uint64_t tally_attempts(const struct tally *tally);

#endif
