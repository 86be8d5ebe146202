/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Resolves the path that a rule gives to the directory entry that it stands for.
 */
#ifndef SOCKACCEPT_RESOLVE_H
#define SOCKACCEPT_RESOLVE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "policy/diagnostics.h"
#include "policy/policy.h"

/*
 * Resolves the paths of all binaries through symbolic links into `resolved`, and keeps what it sees of each file in `mode`, `uid` and
 * `gid`.
 *
 * A file that isn't there is a warning. So is a path that leads nowhere because a directory of it is missing: `waits` is then set, and
 * `resolved` stays NULL. READ_AT_BOOT, whatever is wrong with a path is such a warning, and READ_OFFLINE such a note; otherwise the
 * rest is an error: a path that leads to no regular file, or one that can't be looked up for want of permission. READ_FOR_CHECK, which
 * any user may run, the latter is a warning.
 */
void resolve_policy(struct policy *policy, enum purpose purpose, struct diagnostics *diagnostics);

/*
 * Resolves one path. On success, returns NULL, and sets *resolved, to be freed, and *missing, which is true if the file isn't there.
 * Otherwise returns a message, to be freed: what is wrong and the remedy. *missing is then true if the path leads nowhere, because
 * a part of it isn't there or isn't what it should be, so that a rule for it waits.
 */
char *resolve_path(const char *path, char **resolved, bool *missing);

/*
 * Returns why a path leads to no file now, also when only the file itself is missing; to be freed. Returns NULL if the path leads to a
 * file, or if that can't be found out.
 */
char *resolve_why_nowhere(const char *path);

/* Returns the path of `name` in `directory`, to be freed. Aborts without memory. */
char *path_join(const char *directory, const char *name);

/* Returns the directory part of a path with a slash in it: `/` of `/x`; to be freed. Aborts without memory. */
char *path_directory(const char *path);

/* Returns what a file that isn't regular is, with its article: "a directory", ... */
const char *file_kind(mode_t mode);

#endif
