/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints values as text or as JSON. Each function below does both.
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
#include "policy/cleanup.h"

#define LABEL_WIDTH 14
#define WIDTH_UNKNOWN 80
#define BATCH_BYTES 65536

/* A terminal on a serial line doesn't know how wide it is, nor does one that a program has opened: they say 0. */
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
	if (key) { /* a word of our own: nothing to escape */
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
	paint(output->stream, text, output->colour ? colour : COLOUR_NONE);
}

static void end_table(struct output *output)
{
	text_table_print(&output->table, output->stream, output->colour);
	text_table_drop_cells(&output->table);
	output->table.columns = 0;
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
	else if (output->in_table && !output->widths && output->depth == output->table_depth + 1 && !output->table.columns)
		output->table.columns = output->table.count; /* the first row is complete */
	output->depth--;
	if (output->json)
		fputc(output->closers[output->depth], output->stream);
	output->item_before = true;
	if (output->widths && !output->depth && !output->json) {
		text_table_print_row(&output->table, output->stream, output->colour, output->widths, output->width);
		text_table_drop_cells(&output->table);
	}
}

/* Returns how much of `text` goes onto a line of `room` columns: all of it, or up to a blank. */
static size_t line_of(const char *text, size_t room)
{
	size_t length = strlen(text), end = room;

	if (length <= room)
		return length;
	while (end > 0 && text[end] != ' ')
		end--;
	return end ? end : room + strcspn(text + room, " ");
}

/* Prints a value beside its label, and breaks it into lines if there is a column for a word or two. */
static void print_value(struct output *output, const char *text, enum colour colour)
{
	size_t room = output->width > 2 * (LABEL_WIDTH + 2) ? output->width - (LABEL_WIDTH + 2) : strlen(text);

	for (;;) {
		size_t length = line_of(text, room);
		_cleanup_free_ char *line = must(strndup(text, length));

		output_paint(output, line, colour);
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
		text_table_add(&output->table, label, text, colour, number);
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
		key_and_comma(output, key);
		if (value)
			escape_print_json(output->stream, value);
		else
			fputs_unlocked("null", output->stream);
	}
}

void output_text(struct output *output, const char *key, const char *label, const char *value)
{
	output_coloured(output, key, label, value, COLOUR_NONE);
}

/* Prints a value that is the same in JSON, without quotes. */
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

/* Writes a number, faster than printf() does: a line of the log has a dozen. Returns where it begins in `text`. */
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
	const char *word = value ? "yes" : "no";

	if (output->json)
		word = value ? "true" : "false";
	print_plain(output, key, label, word, false);
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
