/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints values as text or as JSON. One call does both, so that the two can't drift apart.
 *
 * JSON is compact: no blanks between tokens. As text, a value is a line `label  value`, which a terminal gets broken at blanks into
 * lines that fit. Inside a table it is a cell under the heading `label`. With a NULL label the value is in the JSON only, with a
 * NULL key in the text only.
 */
#ifndef SOCKACCEPT_OUTPUT_H
#define SOCKACCEPT_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "enforce/base/text_table.h"

struct output {
	FILE *stream;
	bool json;
	bool colour;
	unsigned width;   /* of the terminal, in columns, also if it doesn't know; 0: no terminal */
	unsigned depth;   /* how many objects and arrays are open */
	bool item_before; /* JSON: a comma is due */
	char closers[16];
	bool in_table;
	unsigned table_depth;
	const unsigned *widths;  /* of a stream's columns; NULL: not a stream */
	struct text_table table; /* of a stream, the row at hand only */
};

/* Prepares to print to `stream`. Text is in colour on a terminal, unless NO_COLOR is set to anything. */
void output_start(struct output *output, FILE *stream, bool json);

/* Opens an object or an array (JSON only). `key` is NULL at the top and inside an array. */
void output_open_object(struct output *output, const char *key);
void output_open_array(struct output *output, const char *key);

/* Closes what was opened last. */
void output_close(struct output *output);

/*
 * Opens an array of objects that is a table in the text. Each object in it is a row; all rows have the same labels. Closing it prints the
 * table.
 */
void output_open_table(struct output *output, const char *key);

/*
 * Makes each object at the top a line from here on: of JSON Lines, or of a table whose columns are at least as wide as `widths` says. The
 * headings come before the first line. The caller keeps `widths`.
 */
void output_stream(struct output *output, const unsigned *widths);

/* Prints a value. A NULL text is null in JSON and `-` as text. A flag is `yes` or `no` as text. output_null() prints JSON only. */
void output_text(struct output *output, const char *key, const char *label, const char *value);
void output_coloured(struct output *output, const char *key, const char *label, const char *value, enum colour colour);
void output_number(struct output *output, const char *key, const char *label, uint64_t value);
void output_signed(struct output *output, const char *key, const char *label, int64_t value);
void output_flag(struct output *output, const char *key, const char *label, bool value);
void output_null(struct output *output, const char *key);

/* Ends a JSON value or a line of JSON Lines, and flushes. Returns 0, or -errno of the stream. */
int output_end(struct output *output);

/*
 * Ends a line that others follow at once: flushes only when many are kept back. Call output_end() or output_flush() after the last one.
 * Returns 0, or -errno of the stream.
 */
int output_line(struct output *output);

/* Flushes. Returns 0, or -errno of the stream. */
int output_flush(struct output *output);

/* Makes the stream keep back many lines between two flushes. Call it before anything is printed. */
void output_in_batches(struct output *output);

/* Prints `text` escaped, in colour if the stream has it. For text only. */
void output_paint(struct output *output, const char *text, enum colour colour);

#endif
