/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files that a boot loads, against the policy in force, which may come from elsewhere or be changed since.
 */
#ifndef SOCKACCEPT_BOOT_FILES_H
#define SOCKACCEPT_BOOT_FILES_H

#include <stdbool.h>

#include "policy/policy.h"

enum boot_files {
	BOOT_FILES_SAME,    /* the same policy */
	BOOT_FILES_OTHER,   /* another one */
	BOOT_FILES_INVALID, /* none that a boot could load */
	BOOT_FILES_NONE,    /* there are none */
};

/* Sets where `policy` comes from: `path`, as `load` is given it; NULL: the files of the boot. */
void boot_files_set_source(struct policy *policy, const char *path);

/* True if `policy` comes from the files of the boot. */
bool boot_files_are_source(const struct policy *policy);

/*
 * Reads the files of the boot as a boot would, without a word, and compares them with `live`, normalised and resolved: the mode, the default and
 * the rules that last.
 */
enum boot_files boot_files_compare(const struct policy *live);

/* What to say of the next boot, as half a sentence; NULL: it has the same policy. */
const char *boot_files_text(enum boot_files files);

/* Where `policy`, normalised and resolved, comes from elsewhere, prints a line about the next boot, unless that has the same policy. */
void boot_files_remark(const struct policy *policy);

#endif
