/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text: blanks, lists, words and messages.
 */
#include "policy/text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A longer word is no misspelling of one of ours. */
#define LETTERS 32

char *text_format_list(const char *format, va_list arguments)
{
	char *text;

	if (vasprintf(&text, format, arguments) < 0)
		abort();
	return text;
}

char *text_format(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = text_format_list(format, arguments);
	va_end(arguments);
	return text;
}

char *text_skip_blanks(const char *text)
{
	return (char *)text + strspn(text, " \t");
}

char *text_trim(char *text)
{
	char *end;

	text = text_skip_blanks(text);
	end = text + strlen(text);
	while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	return text;
}

char *text_next_item(char **rest)
{
	char *item = strsep(rest, ",");

	return item ? text_trim(item) : NULL;
}

static unsigned min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned word_distance(const char *a, const char *b)
{
	unsigned row[LETTERS], columns = (unsigned)strlen(b);

	if (columns >= LETTERS || strlen(a) >= LETTERS)
		return LETTERS;
	for (unsigned j = 0; j <= columns; j++)
		row[j] = j;
	for (unsigned i = 0; a[i]; i++) {
		unsigned diagonal = row[0];

		row[0] = i + 1;
		for (unsigned j = 0; j < columns; j++) {
			bool same = tolower((unsigned char)a[i]) == tolower((unsigned char)b[j]);
			unsigned changed = diagonal + !same;

			diagonal = row[j + 1];
			row[j + 1] = min(changed, min(diagonal, row[j]) + 1);
		}
	}
	return row[columns];
}

const char *word_nearest(const char *text, const char *const *words, size_t count)
{
	const char *best = NULL;
	unsigned least = 4;

	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(words[i]);
		unsigned d = word_distance(text, words[i]);

		if (strncmp(text, words[i], length) == 0)
			d = 1;
		if (d < least && d <= (length + 1) / 2) {
			least = d;
			best = words[i];
		}
	}
	return best;
}

size_t word_find(const char *text, const char *const *words, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(text, words[i]) == 0)
			break;
	return i;
}
