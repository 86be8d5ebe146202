/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells what a line of a policy file is: blank, a header, a key and its value, or more of a value.
 */
#include "policy/ini_line.h"

#include <stdbool.h>
#include <string.h>

#include "policy/text.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

char *ini_find_after_blank(const char *text, char c)
{
	for (const char *p = text; (p = strchr(p, c)); p++)
		if (p > text && is_blank(p[-1]))
			return (char *)p;
	return NULL;
}

static size_t blanks_end(const char *text, size_t at)
{
	return (size_t)(text_skip_blanks(text + at) - text);
}

struct ini_line ini_line_split(const char *text)
{
	struct ini_line line = { .start = blanks_end(text, 0) };
	const char *first = text + line.start, *comment = ini_find_after_blank(first, ';');

	if (!*first || strchr(";#\r", *first))
		return (struct ini_line){ .kind = INI_LINE_EMPTY };
	line.comment = comment ? (size_t)(comment - text) : strlen(text);
	line.end = line.comment;
	while (is_blank(text[line.end - 1]) || text[line.end - 1] == '\r')
		line.end--;
	line.kind = *first == '[' ? INI_LINE_HEADER : line.start ? INI_LINE_MORE : INI_LINE_PAIR;
	line.value = line.start;
	if (line.kind != INI_LINE_PAIR)
		return line;
	line.separator = strcspn(text, "=:");
	if (line.separator >= line.end) {
		line.separator = line.end;
		return line;
	}
	line.value = blanks_end(text, line.separator + 1);
	if (line.end < line.value)
		line.end = line.value;
	return line;
}
