/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy file: INI text to rules, and back.
 */
#ifndef SOCKACCEPT_INI_H
#define SOCKACCEPT_INI_H

#include <stdio.h>

#include "policy/diagnostics.h"
#include "policy/ini_words.h"
#include "policy/policy.h"

/* What was set where, so that a second file can't quietly contradict the first. Zero-initialised. */
struct ini_settings {
	struct ini_place {
		char *file; /* NULL: not set yet */
		unsigned line;
		char *value;
	} set[4 + SWITCHES]; /* mode, default, events, failure; and each switch */
	bool at_boot; /* a user whom the system doesn't know is a warning, and the rules for this user wait */
};

/*
 * Reads one policy file from `stream` and adds its rules and settings to `policy`. `file` is its name in
 * diagnostics. Whatever is wrong goes to `diagnostics`, all of it, not only the first; with an error among
 * them `policy` is not fit for use. `settings` goes from file to file of one policy.
 */
void ini_read(FILE *stream, const char *file, struct ini_settings *settings, struct policy *policy,
	      struct diagnostics *diagnostics);

/* Frees what it holds. */
void ini_settings_clear(struct ini_settings *settings);

/*
 * Writes `policy` as a file that ini_read() reads back to the same rules: one section for all
 * rules with the same section, binary and user; lines short enough for inih. Returns 0, -EINVAL for a
 * section or a path that a file can't hold, or -errno of the stream.
 */
int ini_write(const struct policy *policy, FILE *stream);

/*
 * The same as text, to be freed, behind `head`, which is comments; its length goes to *length. NULL: *error is what ini_write()
 * returned.
 */
char *ini_text(const struct policy *policy, const char *head, size_t *length, int *error);

/*
 * Whether `path` can stand as a `binary` in a policy file, and so be named by a rule at all: the command
 * line asks this too. Returns NULL if so ("any" can), otherwise a message to be freed: what is wrong and
 * the remedy. Judges the text only: whether there is such a file is resolve_path()'s to say.
 */
char *ini_check_path(const char *path);

/* As ini_check_path(), for a section's name; the message is a constant. */
const char *ini_check_section(const char *name);

#endif
