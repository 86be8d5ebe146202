/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Directory entries that rules name, and their numbers.
 */
#ifndef SOCKACCEPT_ENTRIES_H
#define SOCKACCEPT_ENTRIES_H

#include "enforce/kernel/identify.h"
#include "policy/policy.h"

/*
 * Finds or gives the number of each binary of `policy` that has a resolved path, or waits, and no number yet. Says what is
 * wrong, also if a binary is where no rule can name one; or, if there are `problems`, goes on, with what is wrong with binary i
 * in problems[i] (to be freed) and that binary no longer resolved. What waits has a number that nothing else ever has, and has
 * the same one again while it is loaded.
 */
enum status give_binaries(const struct kernel *kernel, struct policy *policy, char **problems);

/*
 * As give_binaries(), but gives none: what no rule has named yet and what waits, stays BINARY_ANY. When the policy is locked, a binary whose file
 * isn't there can't be found: it is no longer resolved then.
 */
enum status find_binaries(const struct kernel *kernel, struct policy *policy, char **problems);

/* The number of the entry `name` in `directory`; -ENOENT: no rule has named it; or another -errno, as when the policy is locked. */
int64_t entry_find(const struct kernel *kernel, const struct identity *directory, const char *name);

/*
 * What a process is whose executable is open as `fd` and identified, unless it has a record of its own (bpf/process.bpf.h); BINARY_ANY:
 * nothing that a rule has named. When the policy is locked, only what the file's name tells.
 */
uint32_t executed_binary(const struct kernel *kernel, int fd, const struct identity *identity);

/* The path that the binary `number` had when its rule was made, to be freed; NULL: not known. */
char *identified_path(const struct kernel *kernel, uint32_t number);

#endif
