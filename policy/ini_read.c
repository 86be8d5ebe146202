/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a policy file.
 *
 * inih does the parsing, but it has habits that must not decide what a firewall does: it cuts section names and long lines in
 * silence, and takes what it cut off a line for the next line. So it gets its lines from next_line(), and ini_judge.c sees each of
 * them first. A line that inih would not read as it stands is refused with its number, and inih gets an empty one in its place.
 * What inih then makes of a line is compared with what ini_judge.c expects. If a differently built inih disagrees, that is an error
 * and never a rule.
 */
#include "policy/ini.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ini_judge.h"
#include "policy/source.h"

/* Keeps a byte of the line, if there is room. All bytes are counted, and looked at. */
static void keep_byte(struct line *line, int c)
{
	if (line->length < KEPT_BYTES)
		line->text[line->length] = (char)c;
	line->length++;
	if (line->control < 0 && ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7f))
		line->control = c;
}

static int get_byte(struct reader *r)
{
	int c = getc_unlocked(r->stream);

	if (c == EOF && ferror(r->stream))
		r->read_error = errno;
	if (c == EOF || ++r->bytes <= SOURCE_MAX_BYTES)
		return c;
	builder_error(&r->builder, 0, "the file is over %ld MiB; a policy takes less", SOURCE_MAX_BYTES >> 20);
	r->builder.stop = true;
	return EOF;
}

static bool get_line(struct reader *r)
{
	struct line *line = &r->line;
	bool after_return = false;
	int c;

	line->length = 0;
	line->control = -1;
	while ((c = get_byte(r)) != EOF && c != '\n') {
		if (after_return && line->control < 0)
			line->control = '\r';
		after_return = c == '\r';
		if (!after_return)
			keep_byte(line, c);
	}
	if (r->builder.stop || (c == EOF && !line->length && !after_return))
		return false;
	line->text[line->length < KEPT_BYTES ? line->length : KEPT_BYTES] = '\0';
	r->builder.line++;
	return true;
}

static void drop_first_mark(struct line *line)
{
	size_t mark = strlen(BYTE_ORDER_MARK);

	if (!ini_has_mark(line->text))
		return;
	line->length -= mark;
	memmove(line->text, line->text + mark, strlen(line->text + mark) + 1);
}

static bool is_expected(const struct reader *r, const char *section, const char *name, const char *value)
{
	const struct section *s = &r->builder.section;

	return r->expected.value && (s->kind == SECTION_REFUSED || strcmp(section, s->name) == 0) && strcmp(name, r->expected.name) == 0 &&
	       strcmp(value, r->expected.text) == 0;
}

/* Takes what inih makes of a line: inih's handler. */
static int take(void *user, const char *section, const char *name, const char *value)
{
	struct reader *r = user;
	struct builder *b = &r->builder;

	if (!is_expected(r, section, name, value))
		builder_refuse(b, "this machine's inih reads '%s = %s' here; write the line more plainly", name, value);
	else if (r->expected.more)
		builder_more(b, value);
	else
		builder_pair(b, name, value);
	r->expected = (struct expected){ 0 };
	return 1;
}

/* Reports an error if inih has passed over a line with a value. */
static void check_taken(struct reader *r)
{
	if (r->expected.value)
		builder_refuse(&r->builder, "this machine's inih finds no value here; write the line more plainly");
	r->expected = (struct expected){ 0 };
}

/* Gives inih one line with its line feed, so that it never sees a part of a line: inih's reader. */
static char *next_line(char *buffer, int room, void *stream)
{
	struct reader *r = stream;
	size_t fits = room > 2 ? (size_t)room - 2 : 0, length;

	check_taken(r);
	r->line_limit = fits < LINE_BYTES ? fits : LINE_BYTES;
	if (r->builder.stop || !get_line(r))
		return NULL;
	if (r->builder.line == 1)
		drop_first_mark(&r->line);

	length = r->line.length;
	if (length <= r->line_limit)
		memcpy(buffer, r->line.text, length);
	if (!ini_judge_line(r)) {
		length = 0;
	} else if (r->expected.more) {
		/* Without its comment: inih 55 takes that for a part of the value here, later ones don't. */
		length = strlen(r->line.text);
		memcpy(buffer, r->line.text, length);
	}
	buffer[length] = '\n';
	buffer[length + 1] = '\0';
	return buffer;
}

void ini_read(FILE *stream, const char *file, struct ini_settings *settings, struct policy *policy, struct diagnostics *diagnostics)
{
	struct reader r = {
		.builder = { .file = file, .settings = settings, .policy = policy, .diagnostics = diagnostics, .key = KEY_NONE },
		.stream = stream,
	};
	int status = ini_parse_stream(next_line, &r, take, &r);

	check_taken(&r);
	if (r.read_error)
		builder_refuse(&r.builder, "cannot read on: %s; fix the file or its medium", strerror(r.read_error));
	if (status && !r.builder.errors)
		builder_refuse(&r.builder, "this machine's inih cannot read this file (%d); write it more plainly", status);
	builder_end(&r.builder);
}

void ini_settings_clear(struct ini_settings *settings)
{
	for (size_t i = 0; i < sizeof(settings->set) / sizeof(settings->set[0]); i++) {
		free(settings->set[i].file);
		free(settings->set[i].value);
	}
	*settings = (struct ini_settings){ 0 };
}
