/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the lines of a policy file add up to: ini_read.c reads the lines, ini_value.c takes their keys and values, and
 * ini_section.c makes rules of them. No other file includes this.
 */
#ifndef SOCKACCEPT_INI_SECTION_H
#define SOCKACCEPT_INI_SECTION_H

#include <stdbool.h>

#include "policy/ini.h"
#include "policy/user.h"

enum section_kind {
	SECTION_NONE,    /* before the first header */
	SECTION_SKIPPED, /* the same, after that was reported */
	SECTION_REFUSED, /* its header was refused: its lines are checked, but make no rules */
	SECTION_SETTINGS,
	SECTION_RULES,
};

struct port_line {
	struct port_item item;
	uint8_t verdict;
	unsigned line;
};

struct binary_line {
	size_t binary; /* index in policy.binaries */
	unsigned line;
};

struct section {
	enum section_kind kind;
	char name[SECTION_MAX + 1];
	unsigned line;
	unsigned lines;    /* key lines */
	bool seen[KEYS];   /* also when the value was refused */
	bool line_refused; /* so what the section lacks is not known */
	struct binary_line *binaries;
	size_t binary_count;
	uint32_t *uids;
	size_t uid_count;
	uint32_t *unknown_users; /* as struct rule has them */
	size_t unknown_user_count;
	struct port_line *ports;
	size_t port_count;
};

struct builder {
	const char *file;
	struct ini_settings *settings;
	struct policy *policy;
	struct diagnostics *diagnostics;

	unsigned line; /* the number of the current one */
	unsigned errors, warnings;
	bool stop; /* read nothing more */

	struct section section;
	enum key key;        /* whose value an indented line continues */
	unsigned comma_line; /* where the list ends with a comma so far; 0: it doesn't */

	struct user_cache users;
};

/* Reports an error. After a number of them, says so and stops the reading. */
void builder_error(struct builder *b, unsigned line, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Reports an error, and refuses the current line as a whole: its key and the lines that continue it say nothing. */
void builder_refuse(struct builder *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Counts a warning. Returns true if it is to be shown; the first time that it isn't, says so. */
bool builder_may_warn(struct builder *b);

/* Ends the section, and begins the one with this name, or one whose header was refused if `name` is NULL. */
void builder_header(struct builder *b, const char *name);

/* Begins a line with a new key. builder_pair() or builder_refuse() follows. */
void builder_line(struct builder *b);

/* Takes `name = value`. */
void builder_pair(struct builder *b, const char *name, const char *value);

/* Takes more of the value of b->key, from an indented line. */
void builder_more(struct builder *b, const char *value);

/* Ends the last section, and frees what the builder holds. */
void builder_end(struct builder *b);

/* Returns the keys that the current section can have, as a list in words. */
const char *builder_known_keys(const struct builder *b);

#endif
