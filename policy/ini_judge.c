/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Judges a line of a policy file, before inih gets it.
 */
#include "policy/ini_judge.h"

#include <string.h>

#include "policy/ini_line.h"
#include "policy/text.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool ini_has_mark(const char *text)
{
	return strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0;
}

static bool is_binary(const char *text)
{
	return strncmp(text, ini_key_words[KEY_BINARY], strlen(ini_key_words[KEY_BINARY])) == 0;
}

static void refuse_length(struct reader *r, const char *text)
{
	const char *remedy = "give its key again in a further line";

	if (*text == ';' || *text == '#')
		remedy = "break the comment in two";
	else if (*text == '[')
		remedy = "shorten the name";
	else if (is_binary(text))
		remedy = "make a symbolic link and name that";
	builder_refuse(&r->builder, "a line of %zu bytes, and inih splits those over %zu; %s", r->line.length, r->line_limit, remedy);
}

/* Returns true if inih can have the bytes of the line at all. Reports what is wrong otherwise. */
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
	else if (ini_has_mark(text))
		builder_refuse(&r->builder, "a byte order mark that does not begin the file; drop it");
	else if (r->line.length > r->line_limit)
		refuse_length(r, text);
	else
		return true;
	return false;
}

/* Cuts off ` ; comment`, as inih does. Refuses what inih takes for a comment and a person might not, or the converse. */
static bool cut_comment(struct reader *r, const struct ini_line *line)
{
	const char *text = r->line.text + line->start, *comment = r->line.text + line->comment;

	if (*comment && comment[1] && !is_blank(comment[1])) {
		builder_refuse(&r->builder, "' ;' with text glued to it; %s",
			       is_binary(text) ? "put a blank after it, or name a symbolic link without it" :
						 "a comment has a blank on both sides of its ';'");
		return false;
	}
	r->line.text[line->end] = '\0';
	if (ini_find_after_blank(text, '#')) {
		builder_refuse(&r->builder, "'#' after text is no comment; %s",
			       is_binary(text) ? "write ' ; ', or name a symbolic link without it" : "write ' ; ' in its place");
		return false;
	}
	return true;
}

static bool judge_header(struct reader *r, char *text)
{
	struct builder *b = &r->builder;
	char *end = strchr(text, ']');
	const char *problem = NULL;

	if (end)
		*end++ = '\0';
	if (text > r->line.text)
		problem = "an indented section header; move it to the start of the line";
	else if (!end)
		problem = "missing ']' after the section's name; write [name]";
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

/* Takes an indented line as more of the value above it, if that value can go on and the line looks like more of it. */
static bool judge_more(struct reader *r, char *text)
{
	struct builder *b = &r->builder;

	if (strpbrk(text, "=:"))
		builder_refuse(b, "an indented 'key = value'; move it to the start of the line");
	else if (b->key == KEY_NONE)
		builder_refuse(b, "an indented line with no value above it; move it to the start of the line");
	else if (b->key == KEY_BINARY)
		builder_refuse(b, "an indented line under a path, which cannot go on; write 'binary =' again");
	else if (b->key <= KEY_LAST_SETTING)
		builder_refuse(b, "an indented line under '%s', which takes one word; drop it", ini_key_words[b->key]);
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
		builder_refuse(&r->builder, "'%s' without '='; write '%s = %s'", text, text, *rest ? rest : "...");
	else
		builder_refuse(&r->builder, "neither [name] nor 'key = value'; a comment begins with ';'");
}

static bool judge_pair(struct reader *r, const struct ini_line *line)
{
	struct builder *b = &r->builder;
	char *text = r->line.text, *separator = text + line->separator;
	bool colon = *separator == ':';

	builder_line(b);
	if (!*separator) {
		refuse_no_equals(r, text);
		return false;
	}
	*separator = '\0';
	text_trim(text);
	if (!*text)
		builder_refuse(b, "no key before '%c'; the keys here are %s", colon ? ':' : '=', builder_known_keys(b));
	else if (colon)
		builder_refuse(b, "':' after '%s'; only '=' stands between a key and its value", text);
	else
		r->expected = (struct expected){ true, false, text, r->line.text + line->value };
	return r->expected.value;
}

bool ini_judge_line(struct reader *r)
{
	struct builder *b = &r->builder;
	char *text = text_skip_blanks(r->line.text);
	const char *visible = ini_has_mark(text) ? text + strlen(BYTE_ORDER_MARK) : text;
	struct ini_line line;

	/* Even if its header is wrong, what follows doesn't belong to the section before. */
	if (*visible == '[')
		builder_header(b, NULL);
	if (!check_bytes(r))
		return false;
	line = ini_line_split(r->line.text);
	if (line.kind == INI_LINE_EMPTY)
		return true;
	if (!cut_comment(r, &line))
		return false;
	if (line.kind == INI_LINE_HEADER)
		return judge_header(r, text);
	if (b->section.kind == SECTION_NONE) {
		builder_refuse(b, "text before the first section; begin with [" SETTINGS_SECTION "] or a [name] for rules");
		b->section.kind = SECTION_SKIPPED;
	}
	if (b->section.kind == SECTION_SKIPPED)
		return false;
	return line.kind == INI_LINE_MORE ? judge_more(r, text) : judge_pair(r, &line);
}
