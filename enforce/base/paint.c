/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints in colour with the codes that all terminals know.
 */
#include "enforce/base/paint.h"

#include "enforce/base/escape.h"

void paint(FILE *stream, const char *text, enum colour colour)
{
	static const char *const codes[] = { "", "\033[32m", "\033[31m", "\033[1m" };

	if (colour)
		fputs(codes[colour], stream);
	escape_print(stream, text);
	if (colour)
		fputs("\033[0m", stream);
}
