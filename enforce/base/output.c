/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text and JSON from the same calls.
 */
#include "enforce/base/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "enforce/base/escape.h"

#define LABEL_WIDTH 14
#define WIDTH_UNKNOWN 80
#define BATCH_BYTES 65536

struct output_cell {
	const char *label;
	char *text;
	enum colour colour;
	bool number; /* printed to the right */
};

/* One on a serial line doesn't know how wide it is, nor does one that a program has opened: they say 0. */
static unsigned terminal_width(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;

	if (!ioctl(fd, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	if (columns && strlen(columns) <= 4 && strspn(columns, "0123456789") == strlen(columns) && atoi(columns) > 0)
		return (unsigned)atoi(columns);
	return WIDTH_UNKNOWN;
}

void output_start(struct output *output, FILE *stream, bool json)
{
	bool terminal = !json && isatty(fileno(stream));

	*output = (struct output){ .stream = stream, .json = json };
	output->colour = terminal && !getenv("NO_COLOR");
	output->width = terminal ? terminal_width(fileno(stream)) : 0;
}

static void key_and_comma(struct output *output, const char *key)
{
	if (output->item_before)
		putc_unlocked(',', output->stream);
	output->item_before = true;
	if (key) { /* one of our own words */
		putc_unlocked('"', output->stream);
		fputs_unlocked(key, output->stream);
		fputs_unlocked("\":", output->stream);
	}
}

static void open_value(struct output *output, const char *key, char opener, char closer)
{
	if (output->depth >= sizeof(output->closers))
		abort();
	if (output->json) {
		key_and_comma(output, key);
		fputc(opener, output->stream);
		output->item_before = false;
	}
	output->closers[output->depth++] = closer;
}

void output_open_object(struct output *output, const char *key)
{
	open_value(output, key, '{', '}');
}

void output_open_array(struct output *output, const char *key)
{
	open_value(output, key, '[', ']');
}

void output_open_table(struct output *output, const char *key)
{
	open_value(output, key, '[', ']');
	output->in_table = true;
	output->table_depth = output->depth;
}

void output_paint(struct output *output, const char *text, enum colour colour)
{
	static const char *const codes[] = { "", "\033[32m", "\033[31m", "\033[1m" };

	if (output->colour && colour)
		fputs(codes[colour], output->stream);
	escape_print(output->stream, text);
	if (output->colour && colour)
		fputs("\033[0m", output->stream);
}

static void pad(struct output *output, size_t columns)
{
	fprintf(output->stream, "%*s", (int)columns, "");
}

static size_t column_width(const struct output *output, size_t column)
{
	size_t width = strlen(output->cells[column].label);

	for (size_t i = column; i < output->cell_count; i += output->columns) {
		size_t cell = escape_width(output->cells[i].text);

		if (cell > width)
			width = cell;
	}
	return width;
}

static void print_cell(struct output *output, const char *text, enum colour colour, bool right, size_t width, bool last)
{
	size_t own = escape_width(text), missing = width > own ? width - own : 0;

	if (right)
		pad(output, missing);
	output_paint(output, text, colour);
	if (!right && !last)
		pad(output, missing);
	if (!last)
		fputs("  ", output->stream);
}

static void print_table(struct output *output)
{
	size_t columns = output->columns;
	size_t *widths;

	if (!output->cell_count)
		return;
	widths = calloc(columns, sizeof(*widths));
	if (!widths)
		abort();
	for (size_t i = 0; i < columns; i++) {
		widths[i] = column_width(output, i);
		print_cell(output, output->cells[i].label, COLOUR_HEADING, output->cells[i].number, widths[i],
			   i + 1 == columns);
	}
	fputc('\n', output->stream);
	for (size_t i = 0; i < output->cell_count; i++) {
		const struct output_cell *cell = &output->cells[i];
		bool last = i % columns + 1 == columns;

		print_cell(output, cell->text, cell->colour, cell->number, widths[i % columns], last);
		if (last)
			fputc('\n', output->stream);
	}
	free(widths);
}

/* How much wider a cell is than its column. */
static size_t excess(const struct output *output, size_t column)
{
	size_t own = escape_width(output->cells[column].text);

	return own > output->widths[column] ? own - output->widths[column] : 0;
}

/*
 * How wide a cell of a row is printed. On a terminal, what a large number takes more than its column has comes from the blanks
 * before it, and the rest, *over, from those behind it, so that the columns line up again.
 */
static size_t row_width(const struct output *output, size_t column, size_t *over)
{
	size_t width = output->widths[column], own = escape_width(output->cells[column].text), spare = own < width ? width - own : 0;

	if (!output->width)
		return width;
	if (column + 1 < output->cell_count && output->cells[column + 1].number)
		*over += excess(output, column + 1);
	if (!column || !output->cells[column].number)
		*over += excess(output, column);
	if (spare > *over)
		spare = *over;
	*over -= spare;
	return width - spare;
}

static void print_stream_row(struct output *output)
{
	bool first = !output->columns;
	size_t over = 0;

	output->columns = output->cell_count;
	for (size_t i = 0; i < output->columns && first; i++)
		print_cell(output, output->cells[i].label, COLOUR_HEADING, output->cells[i].number, output->widths[i],
			   i + 1 == output->columns);
	if (first)
		fputc('\n', output->stream);
	for (size_t i = 0; i < output->cell_count; i++) {
		const struct output_cell *cell = &output->cells[i];

		print_cell(output, cell->text, cell->colour, cell->number, row_width(output, i, &over), i + 1 == output->cell_count);
	}
	fputc('\n', output->stream);
}

static void drop_cells(struct output *output)
{
	for (size_t i = 0; i < output->cell_count; i++)
		free(output->cells[i].text);
	free(output->cells);
	output->cells = NULL;
	output->cell_count = 0;
}

static void end_table(struct output *output)
{
	print_table(output);
	drop_cells(output);
	output->columns = 0;
	output->in_table = false;
}

void output_stream(struct output *output, const unsigned *widths)
{
	output->in_table = true;
	output->table_depth = 0;
	output->widths = widths;
}

void output_close(struct output *output)
{
	if (output->in_table && output->depth == output->table_depth && output->depth)
		end_table(output);
	else if (output->in_table && !output->widths && output->depth == output->table_depth + 1 && !output->columns)
		output->columns = output->cell_count; /* the first row is complete */
	output->depth--;
	if (output->json)
		fputc(output->closers[output->depth], output->stream);
	output->item_before = true;
	if (output->widths && !output->depth && !output->json) {
		print_stream_row(output);
		drop_cells(output);
	}
}

static void add_cell(struct output *output, const char *label, const char *text, enum colour colour, bool number)
{
	output->cells = reallocarray(output->cells, output->cell_count + 1, sizeof(*output->cells));
	if (!output->cells)
		abort();
	output->cells[output->cell_count] = (struct output_cell){ label, strdup(text), colour, number };
	if (!output->cells[output->cell_count++].text)
		abort();
}

/* How much of `text` goes onto a line of `room` columns: all of it, or up to a blank. */
static size_t line_of(const char *text, size_t room)
{
	size_t length = strlen(text), end = room;

	if (length <= room)
		return length;
	while (end > 0 && text[end] != ' ')
		end--;
	return end ? end : room + strcspn(text + room, " ");
}

/* Beside the label, as long as there is a column for a word or two. */
static void print_value(struct output *output, const char *text, enum colour colour)
{
	size_t room = output->width > 2 * (LABEL_WIDTH + 2) ? output->width - (LABEL_WIDTH + 2) : strlen(text);

	for (;;) {
		size_t length = line_of(text, room);
		char *line = strndup(text, length);

		if (!line)
			abort();
		output_paint(output, line, colour);
		free(line);
		fputc('\n', output->stream);
		text += length;
		if (!*text)
			return;
		text++;
		fprintf(output->stream, "%*s", LABEL_WIDTH + 2, "");
	}
}

static void print_text(struct output *output, const char *label, const char *text, enum colour colour, bool number)
{
	if (!label)
		return;
	if (output->in_table) {
		add_cell(output, label, text, colour, number);
		return;
	}
	fprintf(output->stream, "%-*s  ", LABEL_WIDTH, label);
	print_value(output, text, colour);
}

void output_coloured(struct output *output, const char *key, const char *label, const char *value, enum colour colour)
{
	if (!output->json) {
		print_text(output, label, value ? value : "-", colour, false);
	} else if (key || !label) {
		if (!value) {
			output_null(output, key);
			return;
		}
		key_and_comma(output, key);
		escape_print_json(output->stream, value);
	}
}

void output_text(struct output *output, const char *key, const char *label, const char *value)
{
	output_coloured(output, key, label, value, COLOUR_NONE);
}

/* A value whose text is the same in JSON, without quotes. */
static void print_plain(struct output *output, const char *key, const char *label, const char *text, bool number)
{
	if (!output->json) {
		print_text(output, label, text, COLOUR_NONE, number);
	} else if (key || !label) {
		key_and_comma(output, key);
		fputs_unlocked(text, output->stream);
	}
}

#define NUMBER_MAX 24

/* As "%PRIu64", of which a log takes a dozen a line. Returns where it begins in `text`. */
static char *number_text(uint64_t value, char text[NUMBER_MAX])
{
	char *first = &text[NUMBER_MAX - 1];

	*first = '\0';
	do
		*--first = (char)('0' + value % 10);
	while (value /= 10);
	return first;
}

void output_number(struct output *output, const char *key, const char *label, uint64_t value)
{
	char text[NUMBER_MAX];

	print_plain(output, key, label, number_text(value, text), true);
}

void output_signed(struct output *output, const char *key, const char *label, int64_t value)
{
	char text[NUMBER_MAX], *first = number_text(value < 0 ? -(uint64_t)value : (uint64_t)value, text);

	if (value < 0)
		*--first = '-';
	print_plain(output, key, label, first, true);
}

void output_flag(struct output *output, const char *key, const char *label, bool value)
{
	if (output->json)
		print_plain(output, key, label, value ? "true" : "false", false);
	else
		print_text(output, label, value ? "yes" : "no", COLOUR_NONE, false);
}

void output_null(struct output *output, const char *key)
{
	print_plain(output, key, NULL, "null", false);
}

int output_flush(struct output *output)
{
	if (fflush(output->stream) || ferror(output->stream))
		return errno ? -errno : -EIO;
	return 0;
}

static void end_line(struct output *output)
{
	if (output->json)
		fputc('\n', output->stream);
	output->item_before = false;
}

int output_end(struct output *output)
{
	end_line(output);
	return output_flush(output);
}

int output_line(struct output *output)
{
	end_line(output);
	return __fpending(output->stream) > BATCH_BYTES / 2 ? output_flush(output) : 0;
}

void output_in_batches(struct output *output)
{
	setvbuf(output->stream, NULL, _IOFBF, BATCH_BYTES);
	__fsetlocking(output->stream, FSETLOCKING_BYCALLER); /* there is one thread */
}
