/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One call prints a value, as text or as JSON, so that the two can't drift apart.
 *
 * JSON is compact: no blanks between tokens. As text, a value is a line `label  value`, on a terminal broken at blanks
 * into several that fit, or inside a table a cell under the heading `label`. A NULL label: the value is in the JSON only. A
 * NULL key: in the text only.
 */
#ifndef SOCKACCEPT_OUTPUT_H
#define SOCKACCEPT_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum colour {
	COLOUR_NONE,
	COLOUR_GOOD,
	COLOUR_BAD,
	COLOUR_HEADING,
};

struct output_cell;

struct output {
	FILE *stream;
	bool json;
	bool colour;
	unsigned width;    /* of the terminal, in columns, also if it doesn't know; 0: it isn't one */
	unsigned depth;    /* JSON: how many values are open */
	bool item_before;  /* JSON: a comma is due */
	char closers[16];
	bool in_table;
	unsigned table_depth;
	const unsigned *widths;    /* of a stream's columns; NULL: not a stream */
	struct output_cell *cells; /* of the table, row after row; of a stream, the row at hand */
	size_t cell_count, columns;
};

/* Prepares to print to `stream`. Colour: on a terminal, as text, unless NO_COLOR is set to anything. */
void output_start(struct output *output, FILE *stream, bool json);

/* Opens and closes an object and an array (JSON only). `key` is NULL at the top and inside an array. */
void output_open_object(struct output *output, const char *key);
void output_open_array(struct output *output, const char *key);
void output_close(struct output *output);

/*
 * Opens an array of objects that is a table in the text. Each object in it is a row; all rows have the same
 * labels. Its closing prints it, as wide as its cells.
 */
void output_open_table(struct output *output, const char *key);

/*
 * From here on each object at the top is a line: of JSON Lines, or of a table whose columns are at least as
 * wide as `widths` (kept by the caller) says. The headings come before the first.
 */
void output_stream(struct output *output, const unsigned *widths);

/* Values. A NULL text is null in JSON and `-` as text. */
void output_text(struct output *output, const char *key, const char *label, const char *value);
void output_coloured(struct output *output, const char *key, const char *label, const char *value, enum colour colour);
void output_number(struct output *output, const char *key, const char *label, uint64_t value);
void output_signed(struct output *output, const char *key, const char *label, int64_t value);
void output_flag(struct output *output, const char *key, const char *label, bool value);
void output_null(struct output *output, const char *key);

/* Ends a JSON value or a line of JSON Lines, and flushes. Returns 0, or -errno of the stream. */
int output_end(struct output *output);

/* The same for a line that others follow at once: flushes when many are kept back. output_end() or output_flush() must follow. */
int output_line(struct output *output);

/* Flushes. Returns 0, or -errno of the stream. */
int output_flush(struct output *output);

/* Makes the stream keep back many lines between two flushes. To be called before anything is printed. */
void output_in_batches(struct output *output);

/* Prints `text` escaped, in colour if the stream has it. For text only. */
void output_paint(struct output *output, const char *text, enum colour colour);

#endif
