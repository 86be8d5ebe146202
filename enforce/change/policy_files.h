/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policies in files, as verbs take them.
 */
#ifndef SOCKACCEPT_POLICY_FILES_H
#define SOCKACCEPT_POLICY_FILES_H

#include <stdbool.h>

#include "enforce/base/status.h"
#include "policy/diagnostics.h"
#include "policy/policy.h"

/*
 * Reads, resolves and judges the policy at `path` (NULL: the default place), into `policy`, which is empty.
 * `warnings`: are wanted. What is wrong with it is in `diagnostics`.
 */
void policy_files_read(const char *path, enum purpose purpose, bool warnings, struct policy *policy, struct diagnostics *diagnostics);

/* The same; says what is wrong, and returns STATUS_INVALID then. */
enum status policy_files_read_valid(const char *path, enum purpose purpose, bool warnings, struct policy *policy);

#endif
