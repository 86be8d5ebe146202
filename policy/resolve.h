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
 * Resolves the paths of all binaries through symbolic links (struct binary, `resolved`), and keeps what is seen of the file
 * (`mode`, `uid`, `gid`). The file need not be there: a warning. A path that leads nowhere, as a directory of it is missing,
 * is a warning, too: `waits` is then set, and `resolved` stays NULL. So it is READ_AT_BOOT, and a note READ_OFFLINE, whatever is wrong with a path;
 * otherwise what leads to no file is an error. What can't be looked up for want of permission is an error as well, or a warning
 * READ_FOR_CHECK, which anybody may run.
 */
void resolve_policy(struct policy *policy, enum purpose purpose, struct diagnostics *diagnostics);

/*
 * Resolves one path. On success returns NULL and sets *resolved (to be freed) and *missing (the file isn't
 * there). Otherwise returns a message to be freed: what is wrong and the remedy; *missing: the path leads nowhere, as
 * something on it isn't there or isn't what it should be, so that a rule for it waits.
 */
char *resolve_path(const char *path, char **resolved, bool *missing);

/* Why a path leads to no file now, the file's own absence included, to be freed; NULL: it leads somewhere, or it can't be told. */
char *resolve_why_nowhere(const char *path);

/* `directory`, a slash unless it ends with one, and `name`; to be freed. Aborts without memory. */
char *path_join(const char *directory, const char *name);

/* Returns the directory part of a path with a slash in it: `/` of `/x`; to be freed. Aborts without memory. */
char *path_directory(const char *path);

/* What a file that isn't regular is, with its article: "a directory", ... */
const char *file_kind(mode_t mode);

#endif
