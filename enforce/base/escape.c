/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Goes through UTF-8 text a character at a time, and replaces what could do harm.
 */
#include "enforce/base/escape.h"

#include <stdbool.h>
#include <stdint.h>

#define NOT_UTF8 UINT32_MAX
#define REPLACEMENT 0xfffd /* stands for bytes that aren't UTF-8, and is always written as \ufffd */

/* Returns how many continuation bytes follow a first byte; -1 if it can't be one. */
static int continuation_bytes(unsigned char first)
{
	if (first < 0x80)
		return 0;
	if (first >= 0xc2 && first < 0xe0)
		return 1;
	if (first >= 0xe0 && first < 0xf0)
		return 2;
	if (first >= 0xf0 && first < 0xf5)
		return 3;
	return -1;
}

/* Returns the character at `text`, and sets *length to its bytes. Returns NOT_UTF8, and 1 byte, if no character begins there. */
static uint32_t decode(const char *text, size_t *length)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	const unsigned char *bytes = (const unsigned char *)text;
	int more = continuation_bytes(bytes[0]);
	uint32_t character;

	*length = 1;
	if (more <= 0)
		return more ? NOT_UTF8 : bytes[0];
	character = bytes[0] & (0x3f >> more);
	for (int i = 1; i <= more; i++) {
		if ((bytes[i] & 0xc0) != 0x80) /* the final NUL ends up here too */
			return NOT_UTF8;
		character = character << 6 | (bytes[i] & 0x3f);
	}
	if (character < least[more] || character > 0x10ffff || (character >= 0xd800 && character < 0xe000))
		return NOT_UTF8;
	*length = (size_t)more + 1;
	return character;
}

/* Returns true for what a terminal could obey, and for what makes text look different from what it is. */
static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

void escape_print(FILE *stream, const char *text)
{
	size_t length;

	for (; *text; text += length) {
		uint32_t character = decode(text, &length);

		if (character == '\\') {
			fputs("\\\\", stream);
		} else if (character == NOT_UTF8 || is_control(character)) {
			for (size_t i = 0; i < length; i++)
				fprintf(stream, "\\x%02x", (unsigned char)text[i]);
		} else {
			fwrite(text, 1, length, stream);
		}
	}
}

size_t escape_width(const char *text)
{
	size_t length, width = 0;

	for (; *text; text += length) {
		uint32_t character = decode(text, &length);

		if (character == '\\')
			width += 2;
		else if (character == NOT_UTF8 || is_control(character))
			width += 4 * length;
		else
			width++;
	}
	return width;
}

/* Returns how many bytes at `text` stand for themselves in JSON: nearly always all of them. */
static size_t plain_bytes(const char *text)
{
	size_t length = 0;

	while (text[length] >= 0x20 && text[length] < 0x7f && text[length] != '"' && text[length] != '\\')
		length++;
	return length;
}

void escape_print_json(FILE *stream, const char *text)
{
	size_t length;

	putc_unlocked('"', stream);
	for (; *text; text += length) {
		uint32_t character;

		length = plain_bytes(text);
		if (length) {
			fwrite_unlocked(text, 1, length, stream);
			continue;
		}
		character = decode(text, &length);

		if (character == '"' || character == '\\')
			fprintf(stream, "\\%c", (char)character);
		else if (character == NOT_UTF8 || character == REPLACEMENT)
			fputs_unlocked("\\ufffd", stream);
		else if (is_control(character))
			fprintf(stream, "\\u%04x", (unsigned)character);
		else
			fwrite_unlocked(text, 1, length, stream);
	}
	putc_unlocked('"', stream);
}

void escape_print_json_line(FILE *stream, const char *line, size_t length)
{
	size_t taken;

	for (const char *end = line + length; line < end; line += taken) {
		uint32_t character = decode(line, &taken);

		if (character < 0x20)
			putc_unlocked(' ', stream); /* between tokens: in a string it may not be */
		else if (character == NOT_UTF8)
			fputs_unlocked("\\ufffd", stream);
		else if (is_control(character))
			fprintf(stream, "\\u%04x", (unsigned)character);
		else
			fwrite_unlocked(line, 1, taken, stream);
	}
}
