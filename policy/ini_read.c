/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a policy file.
 *
 * inih does the parsing, but it has habits that must not decide what a firewall does: it cuts section
 * names and long lines in silence, and what it cuts off a line it takes for the next one. So it gets its
 * lines from next_line(), which sees each of them first. A line that inih would not read as it stands is
 * refused with its number, and inih gets an empty one in its place. What inih then makes of a line is
 * compared with what it was seen to be here; should a differently built inih disagree, that is an error
 * too and never a rule.
 */
#include "policy/ini.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ini_section.h"
#include "policy/source.h"
#include "policy/text.h"

/* Bytes of a line without its end: what fits in the 200 of inih's buffer with a newline and a NUL. */
#define LINE_BYTES 198
#define KEPT_BYTES (LINE_BYTES + strlen(BYTE_ORDER_MARK))

struct line {
	char text[LINE_BYTES + sizeof(BYTE_ORDER_MARK)];
	size_t length; /* of the line as it is in the file, without its end; text may be shorter */
	int control; /* the first control byte in it; -1: none */
};

/* What inih is to hand to its handler for the line that it has now. */
struct expected {
	bool value;
	bool more; /* of the value above */
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

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The first `c` of `text` that has a blank before it. */
static char *find_after_blank(const char *text, char c)
{
	for (const char *p = text; (p = strchr(p, c)); p++)
		if (p > text && is_blank(p[-1]))
			return (char *)p;
	return NULL;
}

static bool has_mark(const char *text)
{
	return strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0;
}

static bool is_binary(const char *text)
{
	return strncmp(text, ini_key_words[KEY_BINARY], strlen(ini_key_words[KEY_BINARY])) == 0;
}

/* ---------------------------------------------------------------------------------------------
 * What a line is
 */

static void refuse_length(struct reader *r, const char *text)
{
	const char *remedy = "give its key again in a further line";

	if (*text == ';' || *text == '#')
		remedy = "break the comment in two";
	else if (*text == '[')
		remedy = "shorten the name";
	else if (is_binary(text))
		remedy = "make a symbolic link and name that";
	builder_refuse(&r->builder, "a line of %zu bytes, and inih splits those over %zu; %s", r->line.length,
		       r->line_limit, remedy);
}

/* Whether the bytes of the line can be handed to inih at all. */
static bool check_bytes(struct reader *r)
{
	const char *text = text_skip_blanks(r->line.text);
	int control = r->line.control;

	if (control == '\0')
		builder_refuse(&r->builder, "a NUL byte; save the file as UTF-8 text");
	else if (control == '\r')
		builder_refuse(&r->builder, "a carriage return inside a line; end lines with a line feed");
	else if (control >= 0)
		builder_refuse(&r->builder, "control character 0x%02x; drop it", (unsigned)control);
	else if (has_mark(text))
		builder_refuse(&r->builder, "a byte order mark that does not begin the file; drop it");
	else if (r->line.length > r->line_limit)
		refuse_length(r, text);
	else
		return true;
	return false;
}

/* Cuts off ` ; comment`. Where inih sees a comment, so does this; where a reader might not, it refuses. */
static bool cut_comment(struct reader *r, char *text)
{
	char *comment = find_after_blank(text, ';');

	if (comment && comment[1] && !is_blank(comment[1])) {
		builder_refuse(&r->builder, "' ;' with text glued to it; %s",
			       is_binary(text) ? "put a blank after it, or name a symbolic link without it" :
						 "a comment has a blank on both sides of its ';'");
		return false;
	}
	if (comment)
		*comment = '\0';
	if (find_after_blank(text, '#')) {
		builder_refuse(&r->builder, "'#' after text is no comment; %s",
			       is_binary(text) ? "write ' ; ', or name a symbolic link without it" :
						 "write ' ; ' in its place");
		return false;
	}
	text_trim(text);
	return true;
}

static bool read_header(struct reader *r, char *text)
{
	struct builder *b = &r->builder;
	char *end = strchr(text, ']');
	const char *problem = NULL;

	if (end)
		*end++ = '\0';
	if (text > r->line.text)
		problem = "an indented section header; move it to the start of the line";
	else if (!end)
		problem = "a section header that is not closed; write [name]";
	else if (*end)
		problem = "text after a section header; put it in a line of its own, or after ' ; '";
	else
		problem = ini_check_section(text + 1);
	if (problem)
		builder_refuse(b, "%s", problem);
	else
		builder_header(b, text + 1);
	return !problem;
}

/* An indented line: more of the value above it, if that can be and if it looks like it. */
static bool read_more(struct reader *r, char *text)
{
	struct builder *b = &r->builder;

	if (strpbrk(text, "=:"))
		builder_refuse(b, "an indented 'key = value'; move it to the start of the line");
	else if (b->key == KEY_NONE)
		builder_refuse(b, "an indented line with no value above it; move it to the start of the line");
	else if (b->key == KEY_BINARY)
		builder_refuse(b, "an indented line under a path, which cannot go on; write 'binary =' again");
	else if (b->key <= KEY_LAST_SETTING)
		builder_refuse(b, "an indented line under '%s', which takes one word; drop it",
			       ini_key_words[b->key]);
	if (b->key == KEY_REFUSED)
		return false;
	b->comma_line = 0;
	r->expected = (struct expected){ true, true, ini_key_words[b->key], text };
	return true;
}

static void refuse_no_equals(struct reader *r, char *text)
{
	char *rest = text + strcspn(text, " \t");

	if (*rest)
		*rest++ = '\0';
	rest = text_skip_blanks(rest);
	if (word_find(text, ini_key_words, KEYS) < KEYS)
		builder_refuse(&r->builder, "'%s' without '='; write '%s = %s'", text, text,
			       *rest ? rest : "...");
	else
		builder_refuse(&r->builder, "neither [name] nor 'key = value'; a comment begins with ';'");
}

static bool read_pair(struct reader *r, char *text)
{
	struct builder *b = &r->builder;
	char *separator = strpbrk(text, "=:");
	bool colon = separator && *separator == ':';

	builder_line(b);
	if (!separator) {
		refuse_no_equals(r, text);
		return false;
	}
	*separator = '\0';
	text_trim(text);
	if (!*text)
		builder_refuse(b, "no key before '%c'; the keys here are %s", colon ? ':' : '=',
			       builder_known_keys(b));
	else if (colon)
		builder_refuse(b, "':' after '%s'; only '=' stands between a key and its value", text);
	else
		r->expected = (struct expected){ true, false, text, text_trim(separator + 1) };
	return r->expected.value;
}

/* Returns whether inih can have the line. */
static bool read_line(struct reader *r)
{
	struct builder *b = &r->builder;
	char *text = text_skip_blanks(r->line.text);
	const char *visible = has_mark(text) ? text + strlen(BYTE_ORDER_MARK) : text;

	/* Whatever is wrong with a header, what follows it doesn't belong to the section before it. */
	if (*visible == '[')
		builder_header(b, NULL);
	if (!check_bytes(r))
		return false;
	if (!*text || *text == ';' || *text == '#')
		return true;
	if (!cut_comment(r, text))
		return false;
	if (*text == '[')
		return read_header(r, text);
	if (b->section.kind == SECTION_NONE) {
		builder_refuse(b, "text before the first section; begin with [" SETTINGS_SECTION
				  "] or a [name] for rules");
		b->section.kind = SECTION_SKIPPED;
	}
	if (b->section.kind == SECTION_SKIPPED)
		return false;
	return text > r->line.text ? read_more(r, text) : read_pair(r, text);
}

/* ---------------------------------------------------------------------------------------------
 * The file
 */

/* What lies beyond the room is counted and looked at, but not kept. */
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

	if (!has_mark(line->text))
		return;
	line->length -= mark;
	memmove(line->text, line->text + mark, strlen(line->text + mark) + 1);
}

static bool is_expected(const struct reader *r, const char *section, const char *name, const char *value)
{
	const struct section *s = &r->builder.section;

	return r->expected.value && (s->kind == SECTION_REFUSED || strcmp(section, s->name) == 0) &&
	       strcmp(name, r->expected.name) == 0 && strcmp(value, r->expected.text) == 0;
}

/* inih's handler. */
static int take(void *user, const char *section, const char *name, const char *value)
{
	struct reader *r = user;
	struct builder *b = &r->builder;

	if (!is_expected(r, section, name, value))
		builder_refuse(b, "this machine's inih reads '%s = %s' here; write the line more plainly", name,
			       value);
	else if (r->expected.more)
		builder_more(b, value);
	else
		builder_pair(b, name, value);
	r->expected = (struct expected){ 0 };
	return 1;
}

/* inih has passed over a line that has a value. */
static void check_taken(struct reader *r)
{
	if (r->expected.value)
		builder_refuse(&r->builder,
			       "this machine's inih finds no value here; write the line more plainly");
	r->expected = (struct expected){ 0 };
}

/* Gives inih a line at a time, each with its end, so that it never sees a part of one. */
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
	if (!read_line(r)) {
		length = 0;
	} else if (r->expected.more) {
		/* Without its comment, which inih takes for value in such lines (55 does, later ones don't). */
		length = strlen(r->line.text);
		memcpy(buffer, r->line.text, length);
	}
	buffer[length] = '\n';
	buffer[length + 1] = '\0';
	return buffer;
}

void ini_read(FILE *stream, const char *file, struct ini_settings *settings, struct policy *policy,
	      struct diagnostics *diagnostics)
{
	struct reader r = {
		.builder = { .file = file,
			     .settings = settings,
			     .policy = policy,
			     .diagnostics = diagnostics,
			     .key = KEY_NONE },
		.stream = stream,
	};
	int status = ini_parse_stream(next_line, &r, take, &r);

	check_taken(&r);
	if (r.read_error)
		builder_refuse(&r.builder, "cannot read on: %s; mend the file or its medium",
			       strerror(r.read_error));
	if (status && !r.builder.errors)
		builder_refuse(&r.builder,
			       "this machine's inih cannot read this file (%d); write it more plainly", status);
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
