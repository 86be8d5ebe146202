/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the path that a rule gives to the directory entry that it stands for.
 */
#ifndef SOCKACCEPT_RESOLVE_H
#define SOCKACCEPT_RESOLVE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "policy/diagnostics.h"
#include "policy/policy.h"

/*
 * Resolves the paths of all binaries through symbolic links (struct binary, `resolved`): the directory must
 * exist, the file need not (a warning). What is seen of the file is kept (`mode`, `uid`, `gid`). What can't be
 * looked up for want of permission stays NULL: a warning if `lenient` (for `check`, which anybody may run),
 * otherwise an error.
 */
void resolve_policy(struct policy *policy, bool lenient, struct diagnostics *diagnostics);

/*
 * Resolves one path. On success returns NULL and sets *resolved (to be freed) and *missing (the file isn't
 * there). Otherwise returns a message to be freed: what is wrong and the remedy.
 */
char *resolve_path(const char *path, char **resolved, bool *missing);

/* `directory`, a slash unless it ends with one, and `name`; to be freed. Aborts without memory. */
char *path_join(const char *directory, const char *name);

/* What a file that isn't regular is, with its article: "a directory", ... */
const char *file_kind(mode_t mode);

#endif
