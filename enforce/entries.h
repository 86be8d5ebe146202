/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Directory entries that rules name, and their numbers.
 */
#ifndef SOCKACCEPT_ENTRIES_H
#define SOCKACCEPT_ENTRIES_H

#include "enforce/identify.h"
#include "policy/policy.h"

/*
 * Finds or gives the number of each binary of `policy` that has a resolved path and no number yet. Says what is wrong,
 * also if a binary is where no rule can name one; or, if there are `problems`, goes on, with what is wrong with binary i in
 * problems[i] (to be freed) and that binary no longer resolved.
 */
enum status give_binaries(const struct kernel *kernel, struct policy *policy, char **problems);

/* As give_binaries(), but gives none: what no rule has named yet stays BINARY_ANY. */
enum status find_binaries(const struct kernel *kernel, struct policy *policy, char **problems);

/* The number of the entry `name` in `directory`; -ENOENT: no rule has named it; or another -errno. */
int64_t entry_find(const struct kernel *kernel, const struct identity *directory, const char *name);

/*
 * The number that the file `fd` was found to have by a name that it has no more, or by another of its names: its tag;
 * BINARY_ANY: none.
 */
uint32_t tagged_binary(const struct kernel *kernel, int fd);

/*
 * Tags the file `fd` as the binary `number`. The hook would find it by its name; so it goes on being this binary when it is renamed
 * away before anybody sees it, and by its other names.
 */
void tag_file(const struct kernel *kernel, int fd, uint32_t number);

/* The path that the binary `number` had when its rule was made, to be freed; NULL: not known. */
char *identified_path(const struct kernel *kernel, uint32_t number);

#endif
