/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the counters by binary, port and verdict, and reserves their places.
 */
#ifndef SOCKACCEPT_PORTS_H
#define SOCKACCEPT_PORTS_H

#include "enforce/kernel/kernel.h"
#include "policy/policy.h"

/*
 * Reserves places in the table for the single ports that the rules of `policy` name, so that a binary which uses port after port can't
 * take them. Returns 0 or -errno; a full table is no error.
 */
int ports_reserve(const struct kernel *kernel, const struct policy *policy);

/* Calls `each` for every key that has been counted, with its counters and `context`. Returns 0 or -errno. */
int ports_walk(const struct kernel *kernel, void (*each)(uint64_t key, const struct tally *tally, void *context), void *context);

/* Returns a copy of counters that are being added to. It never has more connections than decisions. */
struct tally tally_read(const struct tally *live);

/* Returns how many decisions had no connection, or have none yet. */
uint64_t tally_attempts(const struct tally *tally);

#endif
