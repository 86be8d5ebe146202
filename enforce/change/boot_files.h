/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compares the files that a boot loads with the policy in force, which may come from elsewhere or have been changed since.
 */
#ifndef SOCKACCEPT_BOOT_FILES_H
#define SOCKACCEPT_BOOT_FILES_H

#include <stdbool.h>

#include "policy/policy.h"

enum boot_files {
	BOOT_FILES_SAME,    /* they have the same policy */
	BOOT_FILES_OTHER,   /* they have another one */
	BOOT_FILES_INVALID, /* a boot can't load them */
	BOOT_FILES_NONE,    /* there are none */
};

/* Notes in `policy` where it comes from: `path`, as `load` is given it, or the files of the boot if that is NULL. */
void boot_files_set_source(struct policy *policy, const char *path);

/* Returns true if `policy` comes from the files of the boot. */
bool boot_files_are_source(const struct policy *policy);

/*
 * Reads the files of the boot as a boot would, silently, and compares their mode, default, switches and lasting rules with those of `live`,
 * which is normalised and resolved.
 */
enum boot_files boot_files_compare(const struct policy *live);

/* Returns what to print of the next boot, as half a sentence, or NULL if it loads the same policy. */
const char *boot_files_text(enum boot_files files);

/*
 * Prints a line about the next boot if `policy`, which is normalised and resolved, comes from elsewhere and the files of the boot have
 * another policy.
 */
void boot_files_remark(const struct policy *policy);

#endif
