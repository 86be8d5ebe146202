/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy file that `allow`, `deny` and `remove` keep with --save.
 */
#ifndef SOCKACCEPT_LOCAL_RULES_H
#define SOCKACCEPT_LOCAL_RULES_H

#include <stdbool.h>
#include <sys/types.h>

#include "enforce/base/status.h"
#include "enforce/change/overruled.h"
#include "policy/rule_edit.h"
#include "policy/source.h"

#define LOCAL_RULES_FILE DEFAULT_POLICY_DIR "/90-local.ini"

/* A change of that file. Zero-initialised is none. */
struct local_rules {
	char *before, *after; /* its text; `before` is NULL if there is no such file */
	mode_t mode;
	bool written;
	struct objections objections; /* rules of the files that still decide otherwise */
};

/*
 * Fills `rules`, which is empty, with the change that makes the `count` edits one after the other. Writes nothing yet. Prints what is
 * wrong, such as that another file of the policy would undo the change with the next load, or leaves it without any effect. Returns
 * STATUS_FAILED then, or STATUS_INVALID if the files are invalid.
 */
enum status local_rules_prepare(const struct rule_edit *edits, size_t count, struct local_rules *rules);

/* Writes the change, whole or not at all. Prints what is wrong. */
enum status local_rules_write(struct local_rules *rules);

/* Puts the old text back if the change was written. Warns if it can't. */
void local_rules_undo(struct local_rules *rules);

/* Frees what `rules` holds and leaves it empty. */
void local_rules_clear(struct local_rules *rules);

#endif
