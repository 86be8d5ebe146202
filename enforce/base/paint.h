/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Colours on a terminal.
 */
#ifndef SOCKACCEPT_PAINT_H
#define SOCKACCEPT_PAINT_H

#include <stdio.h>

enum colour {
	COLOUR_NONE,
	COLOUR_GOOD,
	COLOUR_BAD,
	COLOUR_HEADING,
};

/* Prints `text` escaped, in this colour. */
void paint(FILE *stream, const char *text, enum colour colour);

#endif
