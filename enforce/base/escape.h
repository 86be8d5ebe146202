/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints text from elsewhere (paths, process names, sections) so that it can't harm a terminal, and is valid in JSON.
 */
#ifndef SOCKACCEPT_ESCAPE_H
#define SOCKACCEPT_ESCAPE_H

#include <stdio.h>

/*
 * Prints `text`, with \xNN for each byte that a terminal could obey: C0 and C1 controls, DEL, bidirectional controls, line and paragraph
 * separators, and what isn't UTF-8. A backslash becomes two.
 */
void escape_print(FILE *stream, const char *text);

/*
 * Prints `text` as a JSON string with its quotes. The same characters become \uNNNN; a byte that isn't UTF-8 becomes \ufffd, as JSON can't
 * express it.
 */
void escape_print_json(FILE *stream, const char *text);

/* Returns how many columns escape_print() takes for `text`, one for each character. */
size_t escape_width(const char *text);

/*
 * Prints a line of JSON that somebody else may have written, and escapes as in JSON what a terminal could obey. Behind the `length` bytes
 * of `line` must be at least one more that isn't a UTF-8 continuation, such as a newline or NUL.
 */
void escape_print_json_line(FILE *stream, const char *line, size_t length);

#endif
