/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a policy comes from: a file, a directory of *.ini files, or the default places.
 */
#ifndef SOCKACCEPT_SOURCE_H
#define SOCKACCEPT_SOURCE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "policy/diagnostics.h"
#include "policy/policy.h"

#define DEFAULT_POLICY_BASE "/etc/sockaccept"
#define DEFAULT_POLICY_FILE DEFAULT_POLICY_BASE "/policy.ini"
#define DEFAULT_POLICY_DIR DEFAULT_POLICY_BASE "/policy.d"

/*
 * Reads the policy at `path`, a regular file or a directory. Of a directory it reads the *.ini files in the order of their names; if
 * there is a policy.ini or a policy.d in it, it reads policy.ini first, and then the *.ini files in policy.d. If `path` is NULL, it
 * reads the default file and the default directory; one of them may be missing.
 *
 * Judges files and directories on the open descriptor, and opens them so that a FIFO or a device can't block it. A file or directory
 * that isn't root's, or that group or others can write, is an error; READ_FOR_CHECK a warning, READ_OFFLINE a note. What isn't
 * a regular file is always an error, and so is a file over SOURCE_MAX_BYTES.
 */
void source_read(const char *path, enum purpose purpose, struct policy *policy, struct diagnostics *diagnostics);

/* Returns why a file or directory with this owner and mode is not trusted, and the remedy, to be freed; NULL if it is trusted. */
char *source_judge(const struct stat *st);

#define SOURCE_MAX_BYTES (16L << 20)

#endif
