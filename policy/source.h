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
 * Reads the policy at `path`: a regular file, or a directory, of which it takes the *.ini files in name
 * order (a directory with policy.ini in it: that first, then policy.d in it, as with the default). NULL:
 * the default file, then the default directory; either may be missing, but not both.
 *
 * Files and directories are judged on the opened descriptor, opened so that a FIFO or a device can't
 * hang it. One that isn't root's, or that group or others may write, is an error, or a warning
 * READ_FOR_CHECK, and a note READ_OFFLINE. So is, as an error always, what isn't a regular file, and a file over
 * SOURCE_MAX_BYTES.
 */
void source_read(const char *path, enum purpose purpose, struct policy *policy, struct diagnostics *diagnostics);

/* Why a file or directory with this owner and mode is not believed, and the remedy, to be freed; NULL: it is. */
char *source_judge(const struct stat *st);

#define SOURCE_MAX_BYTES (16L << 20)

#endif
