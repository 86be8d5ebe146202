/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads policies from files.
 */
#ifndef SOCKACCEPT_POLICY_FILES_H
#define SOCKACCEPT_POLICY_FILES_H

#include <stdbool.h>

#include "enforce/base/status.h"
#include "policy/diagnostics.h"
#include "policy/policy.h"

/*
 * Reads, resolves and judges the policy at `path`, or in the default place if that is NULL, into `policy`, which is empty. Adds what is
 * wrong with it to `diagnostics`, which is empty, and warnings only if `warnings`.
 */
void policy_files_read(const char *path, enum purpose purpose, bool warnings, struct policy *policy, struct diagnostics *diagnostics);

/* Does the same, and prints what is wrong. Returns STATUS_INVALID if the policy is invalid. */
enum status policy_files_read_valid(const char *path, enum purpose purpose, bool warnings, struct policy *policy);

#endif
