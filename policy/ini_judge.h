/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of reading a policy file. Only ini_read.c, which feeds inih, and ini_judge.c, which judges each line before, include this.
 */
#ifndef SOCKACCEPT_INI_JUDGE_H
#define SOCKACCEPT_INI_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "policy/ini_section.h"

/* Bytes of a line without its end: what fits in the 200 of inih's buffer with a newline and a NUL. */
#define LINE_BYTES 198
#define KEPT_BYTES (LINE_BYTES + strlen(BYTE_ORDER_MARK))

struct line {
	char text[LINE_BYTES + sizeof(BYTE_ORDER_MARK)];
	size_t length; /* of the line as it is in the file, without its end; text may be shorter */
	int control;   /* the first control byte in it; -1: none */
};

/* What inih is to hand to its handler for the line that it has now. */
struct expected {
	bool value;
	bool more;               /* of the value above */
	const char *name, *text; /* in line.text or constant */
};

struct reader {
	struct builder builder;
	FILE *stream;
	long bytes;
	int read_error;
	struct line line;
	size_t line_limit; /* of its length */
	struct expected expected;
};

/*
 * Judges r->line, and cuts its comment off. Returns true if inih can have the line; r->expected then says what inih is to make of
 * it. Returns false if the line was refused, and reports why.
 */
bool ini_judge_line(struct reader *r);

/* Returns true if `text` begins with a byte order mark. */
bool ini_has_mark(const char *text);

#endif
