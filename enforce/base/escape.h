/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text from elsewhere (paths, process names, sections), made harmless to terminals and valid in JSON.
 */
#ifndef SOCKACCEPT_ESCAPE_H
#define SOCKACCEPT_ESCAPE_H

#include <stdio.h>

/*
 * Prints `text` with every byte that a terminal could obey as \xNN: C0 and C1 controls, DEL, bidirectional
 * controls, line and paragraph separators, and what isn't UTF-8. A backslash is printed as two.
 */
void escape_print(FILE *stream, const char *text);

/*
 * Prints `text` as a JSON string with its quotes. The same characters are \uNNNN; a byte that isn't UTF-8
 * is \ufffd, as JSON has no way to say it.
 */
void escape_print_json(FILE *stream, const char *text);

/* How many columns escape_print() of `text` takes, one for each character. */
size_t escape_width(const char *text);

/*
 * Prints a line of JSON that somebody else may have written: what a terminal could obey is escaped as JSON has it. `line` goes
 * on behind `length` bytes with at least one that is no UTF-8 continuation, such as a newline or NUL.
 */
void escape_print_json_line(FILE *stream, const char *line, size_t length);

#endif
