/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables of text: cells under headings, in columns that line up.
 */
#ifndef SOCKACCEPT_TEXT_TABLE_H
#define SOCKACCEPT_TEXT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "enforce/base/paint.h"

struct text_cell;

/* Zero-initialised is empty. */
struct text_table {
	struct text_cell *cells; /* row after row */
	size_t count;
	size_t columns; /* how many cells a row has; 0: not known yet */
};

/*
 * Adds a cell. `label` is the heading of its column, and must stay; `text` is copied. A number stands at the right of its column, other
 * text at the left.
 */
void text_table_add(struct text_table *table, const char *label, const char *text, enum colour colour, bool number);

/* Prints all rows under their headings, each column as wide as its widest cell. Prints nothing if there is no cell. */
void text_table_print(const struct text_table *table, FILE *stream, bool colour);

/*
 * Prints the cells as one row of a table that grows, and before its first row the headings. Columns are at least as wide as `widths` says.
 * `tight`: a cell that is too wide takes what it needs from the blanks beside it, so that the columns line up again.
 */
void text_table_print_row(struct text_table *table, FILE *stream, bool colour, const unsigned *widths, bool tight);

/* Frees the cells. Keeps the number of columns. */
void text_table_drop_cells(struct text_table *table);

#endif
