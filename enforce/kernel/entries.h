/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The directory entries that rules name, as the kernel side keeps them: each has a number, by which rules know the binary.
 */
#ifndef SOCKACCEPT_ENTRIES_H
#define SOCKACCEPT_ENTRIES_H

#include "enforce/kernel/identify.h"

/*
 * Returns the number of the entry `name` in `directory`; -ENOENT if no rule has named it; or another -errno, as when the policy is
 * locked.
 */
int64_t entry_find(const struct kernel *kernel, const struct identity *directory, const char *name);

/*
 * Returns the number of the entry `name` in `directory`, and gives it one if it has none. Stores `path` as its path. Needs the change
 * lock. Returns -ENOSPC or -E2BIG if too many have been given, or another -errno.
 */
int64_t entry_give(const struct kernel *kernel, const struct identity *directory, const char *name, const char *path);

/* Returns the number of `path`, which leads nowhere, and gives it one if it has none. Errors and lock as for entry_give(). */
int64_t entry_give_waiting(const struct kernel *kernel, const char *path);

/*
 * Returns the number of the entry by which a process's executable, open as `fd` and identified, was executed: BINARY_ANY if no rule
 * has named it. For a process without a record of its own (bpf/process.bpf.h). When the policy is locked, only the file's present
 * name is known.
 */
uint32_t executed_binary(const struct kernel *kernel, int fd, const struct identity *identity);

/* Returns the path that the binary `number` had when its rule was made, to be freed, or NULL if it isn't known. */
char *identified_path(const struct kernel *kernel, uint32_t number);

#endif
