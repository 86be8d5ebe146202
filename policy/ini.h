/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy file: from INI text to rules, and back.
 */
#ifndef SOCKACCEPT_INI_H
#define SOCKACCEPT_INI_H

#include <stdio.h>

#include "policy/diagnostics.h"
#include "policy/ini_words.h"
#include "policy/policy.h"

/* Where each setting was set, so that a second file can't contradict the first unseen. Starts zero-initialised. */
struct ini_settings {
	struct ini_place {
		char *file; /* NULL: not set yet */
		unsigned line;
		char *value;
	} set[4 + SWITCHES]; /* mode, default, events, failure; and each switch */
	bool at_boot;        /* an unknown user is a warning, not an error, and the rules for this user wait */
};

/*
 * Reads one policy file from `stream`, and adds its rules and settings to `policy`. `file` is its name in diagnostics. Adds all that
 * is wrong to `diagnostics`, not only the first error; after an error, `policy` must not be used. Pass the same `settings` for all
 * files of one policy.
 */
void ini_read(FILE *stream, const char *file, struct ini_settings *settings, struct policy *policy, struct diagnostics *diagnostics);

/* Frees what it holds. */
void ini_settings_clear(struct ini_settings *settings);

/*
 * Writes `policy` as a file that ini_read() reads back to the same rules, without the temporary ones. Rules with the same section,
 * binary and user become one section. Returns 0, -EINVAL for a section or a path that a file can't hold, or -errno of the stream.
 */
int ini_write(const struct policy *policy, FILE *stream);

/*
 * Returns what ini_write() writes as text, to be freed, after `head`, which is comments. Sets *length to its length. On error,
 * returns NULL and sets *error to what ini_write() returned.
 */
char *ini_text(const struct policy *policy, const char *head, size_t *length, int *error);

/*
 * Returns NULL if a policy file can name the binary `path`; "any" is one. Otherwise returns a message to be freed: what is wrong and
 * the remedy. The command line holds to this too, so that each rule can be saved. Judges the text alone; resolve_path() says
 * whether there is such a file.
 */
char *ini_check_path(const char *path);

/* Does the same for a section's name; the message is a constant. */
const char *ini_check_section(const char *name);

#endif
