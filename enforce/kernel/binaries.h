/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gives the binaries of a policy the numbers of their directory entries (enforce/kernel/entries.h).
 */
#ifndef SOCKACCEPT_BINARIES_H
#define SOCKACCEPT_BINARIES_H

#include "enforce/kernel/kernel.h"
#include "policy/policy.h"

/*
 * Finds or gives the number of each binary of `policy` that has none yet and either has a resolved path or waits. A binary that
 * waits gets a number that nothing else ever has, and gets the same one again for as long as the kernel side is loaded.
 *
 * If no rule can name a binary where it is: with `problems` NULL, prints that and fails; otherwise sets problems[i] to what is wrong
 * with binary i (to be freed), removes its resolved path, and goes on. Prints any other error. Needs the change lock.
 */
enum status give_binaries(const struct kernel *kernel, struct policy *policy, char **problems);

/*
 * Finds numbers as give_binaries() does, but gives none: a binary that no rule has named yet, or that waits, stays BINARY_ANY. Needs
 * no lock. When the policy is locked, a binary whose file isn't there can't be found, and loses its resolved path.
 */
enum status find_binaries(const struct kernel *kernel, struct policy *policy, char **problems);

#endif
