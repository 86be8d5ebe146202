/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a line of a policy file is by its looks: for reading a file and for editing one. Whether the line is right, ini_read.c judges.
 */
#ifndef SOCKACCEPT_INI_LINE_H
#define SOCKACCEPT_INI_LINE_H

#include <stddef.h>

enum ini_line_kind {
	INI_LINE_EMPTY,  /* blank, or a comment */
	INI_LINE_HEADER, /* begins a section */
	INI_LINE_PAIR,   /* a key and its value; begins where the line does */
	INI_LINE_MORE,   /* indented: more of the value above it */
};

/* Offsets in the line. All but the kind are 0 in an empty line. */
struct ini_line {
	enum ini_line_kind kind;
	size_t start;     /* of what is not blank */
	size_t separator; /* of a pair: its '=' or ':'; `end` if it has none */
	size_t value;     /* of a pair, or of what continues one */
	size_t end;       /* of the value, before blanks and a comment; not below `value` */
	size_t comment;   /* its ';'; the end of the line if there is none */
};

/* Returns what the line `text` is, which has no line feed. A carriage return at its end counts as a blank. */
struct ini_line ini_line_split(const char *text);

/* Returns the first `c` in `text` that follows a blank, or NULL. */
char *ini_find_after_blank(const char *text, char c);

#endif
