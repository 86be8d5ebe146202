/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The text of a policy file, in lines and sections, for whoever changes it. Only ini_edit.c includes this.
 */
#ifndef SOCKACCEPT_INI_DOCUMENT_H
#define SOCKACCEPT_INI_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/ini_line.h"
#include "policy/ini_words.h"
#include "policy/user.h"

#define MADE_HEADER "[" CLI_SECTION "]"

struct document_line {
	char *text; /* without its end; NULL: it is to go */
	enum ini_line_kind kind;
	enum key key;      /* whose value it has: its own, or that of the line that it continues; KEY_NONE: no value */
	size_t value, end; /* where in `text` the value begins and ends; a comment can follow */
};

/* A section. */
struct part {
	size_t first, end; /* its lines, the header first; `end` is the index after the last one */
	bool made;         /* `allow` and `deny` made it */
	char **binaries;
	size_t binary_count;
	struct user_items users;
};

/* Zero-initialised is empty. */
struct document {
	struct document_line *lines;
	size_t line_count;
	struct part *parts;
	size_t part_count;
};

/* Fills an empty document from the text of a file that ini_read() accepts. Aborts without memory. */
void document_read(struct document *document, const char *text);

/* Returns the value in a line, to be freed. */
char *document_value(const struct document_line *line);

/* Replaces the text of a line by `text`, which it takes over. If that has several lines, the value is in the last one. */
void document_set_text(struct document_line *line, char *text);

/* Marks a line as one that is to go. */
void document_drop(struct document_line *line);

/* Frees what it holds, and leaves it empty. */
void document_clear(struct document *document);

#endif
