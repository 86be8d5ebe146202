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
	SECTION_NONE,     /* before the first header */
	SECTION_SKIPPED,  /* the same, once that was reported */
	SECTION_REFUSED,  /* its header was refused: its lines are checked, but make no rules */
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
	bool line_refused; /* so nothing can be said of what the section lacks */
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

	unsigned line; /* the present one */
	unsigned errors, warnings;
	bool stop; /* nothing more is to be read */

	struct section section;
	enum key key;        /* that an indented line would continue */
	unsigned comma_line; /* of a list whose last line ended with a comma; 0: none */

	struct user_cache users;
};

/* Reports an error, up to a number of them; then says so, and stops. */
void builder_error(struct builder *b, unsigned line, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Refuses the present line as a whole: neither its key nor what continues it can be relied on. */
void builder_refuse(struct builder *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Counts a warning. Returns true if it is to be shown. Says it once when no more are. */
bool builder_may_warn(struct builder *b);

/* Ends the section and begins the one with this name; NULL: one whose header was refused. */
void builder_header(struct builder *b, const char *name);

/* A line that begins a new key; what it is follows with builder_pair() or builder_refuse(). */
void builder_line(struct builder *b);

/* `name = value`. */
void builder_pair(struct builder *b, const char *name, const char *value);

/* More of the value of b->key, from an indented line. */
void builder_more(struct builder *b, const char *value);

/* Ends the last section, and frees all. */
void builder_end(struct builder *b);

/* The keys that the present section can have, as a list in words. */
const char *builder_known_keys(const struct builder *b);

#endif
