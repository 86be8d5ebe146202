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

/* A change of that file. Zero-initialised: none. */
struct local_rules {
	char *before, *after; /* its text; before is NULL if there is no such file */
	mode_t mode;
	bool written;
	struct objections objections; /* what the files say against the new rules */
};

/*
 * Prepares the change that these edits are, one after the other. Nothing is written yet. Says what is wrong, which can be that
 * another of the policy's files would undo it with the next load, or leaves it without any effect.
 */
enum status local_rules_prepare(const struct rule_edit *edits, size_t count, struct local_rules *rules);

/* Writes it, whole or not at all. Says what is wrong. */
enum status local_rules_write(struct local_rules *rules);

/* Puts back what was there, if it was written. */
void local_rules_undo(struct local_rules *rules);

/* Frees what it holds. */
void local_rules_clear(struct local_rules *rules);

#endif
