/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines up cells in columns, for tables that are complete and for tables that grow.
 */
#include "enforce/base/text_table.h"

#include <stdlib.h>
#include <string.h>

#include "enforce/base/escape.h"
#include "policy/cleanup.h"

struct text_cell {
	const char *label;
	char *text;
	enum colour colour;
	bool number;
};

void text_table_add(struct text_table *table, const char *label, const char *text, enum colour colour, bool number)
{
	table->cells = must(reallocarray(table->cells, table->count + 1, sizeof(*table->cells)));
	table->cells[table->count++] = (struct text_cell){ label, must(strdup(text)), colour, number };
}

/* How cells are printed. */
struct pen {
	FILE *stream;
	bool colour;
};

static void pad(const struct pen *pen, size_t columns)
{
	fprintf(pen->stream, "%*s", (int)columns, "");
}

static size_t column_width(const struct text_table *table, size_t column)
{
	size_t width = strlen(table->cells[column].label);

	for (size_t i = column; i < table->count; i += table->columns) {
		size_t cell = escape_width(table->cells[i].text);

		if (cell > width)
			width = cell;
	}
	return width;
}

static void print_text(const struct pen *pen, const char *text, enum colour colour, bool right, size_t width, bool last)
{
	size_t own = escape_width(text), missing = width > own ? width - own : 0;

	if (right)
		pad(pen, missing);
	paint(pen->stream, text, pen->colour ? colour : COLOUR_NONE);
	if (!right && !last)
		pad(pen, missing);
	fputs(last ? "\n" : "  ", pen->stream);
}

static void print_heading(const struct pen *pen, const struct text_cell *cell, size_t width, bool last)
{
	print_text(pen, cell->label, COLOUR_HEADING, cell->number, width, last);
}

static void print_cell(const struct pen *pen, const struct text_cell *cell, size_t width, bool last)
{
	print_text(pen, cell->text, cell->colour, cell->number, width, last);
}

void text_table_print(const struct text_table *table, FILE *stream, bool colour)
{
	const struct pen pen = { stream, colour };
	size_t columns = table->columns;
	_cleanup_free_ size_t *widths = NULL;

	if (!table->count)
		return;
	widths = must(calloc(columns, sizeof(*widths)));
	for (size_t i = 0; i < columns; i++) {
		widths[i] = column_width(table, i);
		print_heading(&pen, &table->cells[i], widths[i], i + 1 == columns);
	}
	for (size_t i = 0; i < table->count; i++)
		print_cell(&pen, &table->cells[i], widths[i % columns], i % columns + 1 == columns);
}

/* Returns by how much a cell is wider than its column. */
static size_t excess(const struct text_table *table, const unsigned *widths, size_t column)
{
	size_t own = escape_width(table->cells[column].text);

	return own > widths[column] ? own - widths[column] : 0;
}

/*
 * Returns how wide a cell of a tight row is printed. What a large number needs more than its column has comes from the blanks before
 * it, and the rest, *over, from the blanks behind it.
 */
static size_t tight_width(const struct text_table *table, const unsigned *widths, size_t column, size_t *over)
{
	size_t width = widths[column], own = escape_width(table->cells[column].text), spare = own < width ? width - own : 0;

	if (column + 1 < table->count && table->cells[column + 1].number)
		*over += excess(table, widths, column + 1);
	if (!column || !table->cells[column].number)
		*over += excess(table, widths, column);
	if (spare > *over)
		spare = *over;
	*over -= spare;
	return width - spare;
}

void text_table_print_row(struct text_table *table, FILE *stream, bool colour, const unsigned *widths, bool tight)
{
	const struct pen pen = { stream, colour };
	bool first = !table->columns;
	size_t over = 0;

	table->columns = table->count;
	for (size_t i = 0; i < table->count && first; i++)
		print_heading(&pen, &table->cells[i], widths[i], i + 1 == table->count);
	for (size_t i = 0; i < table->count; i++)
		print_cell(&pen, &table->cells[i], tight ? tight_width(table, widths, i, &over) : widths[i], i + 1 == table->count);
}

void text_table_drop_cells(struct text_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i].text);
	free(table->cells);
	table->cells = NULL;
	table->count = 0;
}
