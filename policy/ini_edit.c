/* SPDX-License-Identifier: GPL-2.0-only */
#include "policy/ini_edit.h"

#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/grow.h"
#include "policy/ini.h"
#include "policy/port.h"
#include "policy/text.h"
#include "policy/user.h"

/* Where an item is no longer added to a line. */
#define LINE_WIDTH 76
/* And with a comment behind it: far below what inih takes. */
#define LINE_MOST 160

#define MADE_HEADER "[" CLI_SECTION "]"


enum line_kind {
	LINE_OTHER, /* blank, a comment, or a key that is of no interest */
	LINE_HEADER,
	LINE_BINARY,
	LINE_USER,
	LINE_ALLOW,
	LINE_DENY,
	LINE_LISTEN, /* no edit is about it */
};

/* A line of the file. An indented one that continues a value has the kind of the line that it continues. */
struct line {
	char *text;  /* without its end; NULL: it is to go */
	enum line_kind kind;
	bool more;             /* it continues the value above */
	size_t value, comment; /* where in `text` the value begins, and what follows it */
};

struct part { /* a section */
	size_t first, end; /* its lines, the header first */
	bool made;         /* `allow` and `deny` made it */
	char **binaries;
	size_t binary_count;
	uint32_t *uids;
	size_t uid_count;
};

struct document {
	struct line *lines;
	size_t line_count;
	struct part *parts;
	size_t part_count;
	struct user_cache users;
};

/* ---------------------------------------------------------------------------------------------
 * Reading. The file is valid: so each line is what it looks like.
 */

static enum line_kind kind_of_key(const char *text, size_t length)
{
	static const struct {
		const char *word;
		enum line_kind kind;
	} keys[] = { { "binary", LINE_BINARY }, { "user", LINE_USER }, { "allow", LINE_ALLOW }, { "deny", LINE_DENY },
		     { "listen", LINE_LISTEN } };

	while (length && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		length--;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strlen(keys[i].word) == length && !strncmp(text, keys[i].word, length))
			return keys[i].kind;
	return LINE_OTHER;
}

/* Where the value that begins at `from` ends: before a blank and `;`, or the blanks at the line's end. */
static size_t value_end(const char *text, size_t from)
{
	size_t end = from;

	while (text[end] && !((text[end] == ' ' || text[end] == '\t') && text[end + 1] == ';'))
		end++;
	while (end > from && (text[end - 1] == ' ' || text[end - 1] == '\t' || text[end - 1] == '\r'))
		end--;
	return end;
}

/*
 * `continued`: the kind of the last key, whose value an indented line continues, whatever comments and blank lines are between.
 * Returns the kind that those after this line continue.
 */
static enum line_kind read_line(struct line *line, enum line_kind continued)
{
	const char *text = line->text, *start = text_skip_blanks(text);
	size_t equals = strcspn(text, "=:");

	line->kind = LINE_OTHER;
	if (!*start || *start == ';' || *start == '#' || *start == '\r')
		return continued;
	if (*text == '[') {
		line->kind = LINE_HEADER;
		return LINE_HEADER;
	}
	line->more = start != text;
	if (start != text && continued != LINE_OTHER && continued != LINE_HEADER) {
		line->kind = continued;
		line->value = (size_t)(start - text);
	} else if (text[equals]) {
		line->kind = kind_of_key(start, (size_t)(text + equals - start));
		line->value = (size_t)(text_skip_blanks(text + equals + 1) - text);
	}
	line->comment = value_end(text, line->value);
	return line->kind;
}

static void split_lines(struct document *document, const char *text)
{
	enum line_kind last = LINE_OTHER;

	while (*text) {
		size_t length = strcspn(text, "\n");
		struct line line = { .text = must(strndup(text, length)) };

		last = read_line(&line, last);
		APPEND(document->lines, document->line_count, line);
		text += length + (text[length] == '\n');
	}
}

/* The next of the words between commas at *at, trimmed; to be freed. NULL: there is none. */
static char *next_word(const char **at, const char *end)
{
	while (*at < end) {
		size_t length = 0;
		char *word, *trimmed;

		while (*at + length < end && (*at)[length] != ',')
			length++;
		word = must(strndup(*at, length));
		*at += length + (*at + length < end);
		trimmed = must(strdup(text_trim(word)));
		free(word);
		if (*trimmed)
			return trimmed;
		free(trimmed);
	}
	return NULL;
}

static void read_users(struct document *document, struct part *part, const struct line *line)
{
	const char *at = line->text + line->value, *end = line->text + line->comment;
	char *word;

	while ((word = next_word(&at, end))) {
		uint32_t uid;
		char *problem = user_read(&document->users, word, &uid);

		if (!problem)
			APPEND(part->uids, part->uid_count, uid);
		free(problem);
		free(word);
	}
}

static void read_binary(struct part *part, const struct line *line)
{
	APPEND(part->binaries, part->binary_count, must(strndup(line->text + line->value, line->comment - line->value)));
}

static void read_document(struct document *document, const char *text)
{
	struct part *part = NULL;

	split_lines(document, text);
	for (size_t i = 0; i < document->line_count; i++) {
		const struct line *line = &document->lines[i];

		if (line->kind == LINE_HEADER) {
			bool made = !strncmp(line->text, MADE_HEADER, strlen(MADE_HEADER));

			APPEND(document->parts, document->part_count, ((struct part){ .first = i, .made = made }));
			part = &document->parts[document->part_count - 1];
		}
		if (!part)
			continue;
		part->end = i + 1;
		if (line->kind == LINE_BINARY)
			read_binary(part, line);
		else if (line->kind == LINE_USER)
			read_users(document, part, line);
	}
}

static void clear_document(struct document *document)
{
	for (size_t i = 0; i < document->line_count; i++)
		free(document->lines[i].text);
	for (size_t i = 0; i < document->part_count; i++) {
		for (size_t k = 0; k < document->parts[i].binary_count; k++)
			free(document->parts[i].binaries[k]);
		free(document->parts[i].binaries);
		free(document->parts[i].uids);
	}
	free(document->lines);
	free(document->parts);
	user_cache_clear(&document->users);
}

/* ---------------------------------------------------------------------------------------------
 * What the edit is about
 */

static bool has_uid(const uint32_t *uids, size_t count, uint32_t uid)
{
	for (size_t i = 0; i < count; i++)
		if (uids[i] == uid)
			return true;
	return false;
}

/* True if each of `a` is among `b`. */
static bool are_among(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
	for (size_t i = 0; i < a_count; i++)
		if (!has_uid(b, b_count, a[i]))
			return false;
	return true;
}

static bool names_binary(const struct part *part, const char *path)
{
	for (size_t i = 0; i < part->binary_count; i++)
		if (!strcmp(part->binaries[i], path))
			return true;
	return false;
}

static bool is_for_any_user(const struct rule_edit *edit)
{
	return edit->remove && edit->removal == REMOVE_MADE && !edit->uid_count;
}

/* True if some rules of the section are for what the edit is about. */
static bool concerns(const struct part *part, const struct rule_edit *edit)
{
	if (!names_binary(part, edit->path) || (edit->remove && removal_is_of_made(edit->removal) && !part->made))
		return false;
	if (is_for_any_user(edit))
		return true;
	if (!edit->uid_count || !part->uid_count)
		return !edit->uid_count && !part->uid_count;
	for (size_t i = 0; i < part->uid_count; i++)
		if (has_uid(edit->uids, edit->uid_count, part->uids[i]))
			return true;
	return false;
}

/* True if all rules of the section are. */
static bool is_all_about(const struct part *part, const struct rule_edit *edit)
{
	return part->binary_count == 1 &&
	       (is_for_any_user(edit) || are_among(part->uids, part->uid_count, edit->uids, edit->uid_count));
}

/* True if the section is for all that the edit is about. */
static bool covers(const struct part *part, const struct rule_edit *edit)
{
	return concerns(part, edit) && are_among(edit->uids, edit->uid_count, part->uids, part->uid_count);
}

static bool is_of_ports(const struct rule_edit *edit, const char *word)
{
	struct port_item item;

	if (!edit->port_count)
		return true;
	if (port_parse(word, &item))
		return false;
	for (size_t i = 0; i < edit->port_count; i++)
		if (port_equal(&edit->ports[i], &item))
			return true;
	return false;
}

static bool has_ports(const struct line *line)
{
	return line->text && (line->kind == LINE_ALLOW || line->kind == LINE_DENY);
}

static bool says_the_same(const struct line *line, const struct rule_edit *edit)
{
	return !edit->remove && (line->kind == LINE_DENY) == (edit->verdict == VERDICT_DENY);
}

/* True if the line has an item of the edit's ports. */
static bool mentions(const struct line *line, const struct rule_edit *edit)
{
	const char *at = line->text + line->value, *end = line->text + line->comment;
	bool found = false;
	char *word;

	while ((word = next_word(&at, end))) {
		found |= is_of_ports(edit, word);
		free(word);
	}
	return found;
}

/* ---------------------------------------------------------------------------------------------
 * Taking away
 */

/* The line as one with a key of its own and without the edit's items; with none left, only its comment stays. */
static void rewrite_line(struct line *line, const struct rule_edit *edit)
{
	const char *at = line->text + line->value, *end = line->text + line->comment, *rest = line->text + line->comment;
	char *text = NULL, *word;
	size_t length = 0, items = 0;
	FILE *stream = must(open_memstream(&text, &length));

	while ((word = next_word(&at, end))) {
		if (!is_of_ports(edit, word))
			fprintf(stream, items++ ? ", %s" : line->kind == LINE_DENY ? "deny   = %s" : "allow  = %s", word);
		free(word);
	}
	rest += strspn(rest, " \t\r");
	if (*rest)
		fprintf(stream, "%s%s", items ? " " : "", rest);
	fclose(stream);
	free(line->text);
	line->text = text;
	if (!items)
		line->kind = LINE_OTHER;
	if (!*text) {
		free(text);
		line->text = NULL;
	} else if (items) {
		line->value = strlen("allow  = ");
		line->comment = value_end(text, line->value);
	}
}

/* The lines of a value, from its first one on, with all that is between them. Returns where the next key or section begins. */
static size_t value_lines(const struct document *document, const struct part *part, size_t first)
{
	size_t end = first + 1;

	while (end < part->end && (document->lines[end].kind == LINE_OTHER || document->lines[end].more))
		end++;
	return end;
}

/* A section without a port left goes, but for its comments. */
static void drop_if_empty(const struct document *document, const struct part *part)
{
	for (size_t i = part->first; i < part->end; i++)
		if (has_ports(&document->lines[i]) || document->lines[i].kind == LINE_LISTEN)
			return;
	for (size_t i = part->first; i < part->end; i++) {
		struct line *line = &document->lines[i];

		if (line->kind != LINE_OTHER) {
			free(line->text);
			line->text = NULL;
		}
	}
}

static char *shares(const struct document *document, const struct part *part, size_t line)
{
	return text_format("%zu: %s: this line is for other binaries or users too; change it there yourself", line + 1,
			   document->lines[part->first].text);
}

/* Takes the edit's items out of one section. Returns what is wrong, or NULL. */
static char *take_from(const struct document *document, const struct part *part, const struct rule_edit *edit)
{
	for (size_t i = part->first, end; i < part->end; i = end) {
		bool mentioned = false;

		end = value_lines(document, part, i);
		if (!has_ports(&document->lines[i]) || (says_the_same(&document->lines[i], edit) && covers(part, edit)))
			continue;
		for (size_t k = i; k < end; k++)
			mentioned |= has_ports(&document->lines[k]) && mentions(&document->lines[k], edit);
		if (!mentioned)
			continue;
		if (!is_all_about(part, edit)) {
			if (says_the_same(&document->lines[i], edit))
				continue; /* for some of the users; the others get a section of their own */
			return shares(document, part, i);
		}
		for (size_t k = i; k < end; k++)
			if (has_ports(&document->lines[k]))
				rewrite_line(&document->lines[k], edit);
	}
	drop_if_empty(document, part);
	return NULL;
}

/* ---------------------------------------------------------------------------------------------
 * Adding
 */

/* True if a section that is for all that the edit is about says this of the port. */
static bool is_said(const struct document *document, const struct rule_edit *edit, size_t port)
{
	struct rule_edit one = *edit;

	one.ports = &edit->ports[port];
	one.port_count = 1;
	for (size_t i = 0; i < document->part_count; i++) {
		const struct part *part = &document->parts[i];

		for (size_t k = part->first; k < part->end && covers(part, edit); k++)
			if (has_ports(&document->lines[k]) && says_the_same(&document->lines[k], edit) &&
			    mentions(&document->lines[k], &one))
				return true;
	}
	return false;
}

/* The last line with ports of this verdict in a section of exactly this binary and these users; NULL: there is none. */
static struct line *line_for(const struct document *document, const struct rule_edit *edit)
{
	struct line *found = NULL;

	for (size_t i = 0; i < document->part_count; i++) {
		const struct part *part = &document->parts[i];

		if (!covers(part, edit) || !is_all_about(part, edit))
			continue;
		for (size_t k = part->first; k < part->end; k++)
			if (has_ports(&document->lines[k]) && says_the_same(&document->lines[k], edit))
				found = &document->lines[k];
	}
	return found;
}

/* One more line behind `line`. */
static void add_to_line(struct line *line, const struct rule_edit *edit, const char *item)
{
	size_t length = line->comment;
	char *text;

	while (length > line->value && (line->text[length - 1] == ',' || line->text[length - 1] == ' '))
		length--;
	if (length + 2 + strlen(item) <= LINE_WIDTH && strlen(line->text) + 2 + strlen(item) <= LINE_MOST)
		text = text_format("%.*s, %s%s", (int)length, line->text, item, line->text + line->comment);
	else
		text = text_format("%s\n%-6s = %s", line->text, ini_verdict_words[edit->verdict], item);
	free(line->text);
	line->text = text;
	/* Behind the last line break, if there is one now. */
	line->value = strrchr(text, '\n') ? (size_t)(strrchr(text, '\n') + 1 - text) + strlen("allow  = ") : line->value;
	line->comment = value_end(text, line->value);
}

/* As they were given: on another machine the same name can have another id. */
static void print_users(FILE *stream, const struct rule_edit *edit)
{
	int column = 0;

	for (size_t i = 0; i < edit->uid_count; i++) {
		_cleanup_free_ char *user = edit->user_words ? must(strdup(edit->user_words[i])) : text_format("%u", edit->uids[i]);

		if (column && column + 2 + (int)strlen(user) <= LINE_WIDTH)
			column += fprintf(stream, ", %s", user);
		else
			column = fprintf(stream, "%suser   = %s", column ? "\n" : "", user) - (column > 0);
	}
	if (column)
		fputc('\n', stream);
}

static void print_section(FILE *stream, const struct rule_edit *edit, bool separate)
{
	fprintf(stream, "%s" MADE_HEADER "\nbinary = %s\n", separate ? "\n" : "", edit->path);
	print_users(stream, edit);
}

/* Adds the items that aren't said yet, to a line that is there or, in `stream`, a section behind all. */
static void add_items(const struct document *document, const struct rule_edit *edit, FILE *stream)
{
	struct line *line = line_for(document, edit);
	int column = 0;

	for (size_t i = 0; i < edit->port_count; i++) {
		char item[PORT_TEXT_MAX];

		if (is_said(document, edit, i))
			continue;
		port_format(&edit->ports[i], item);
		if (line) {
			add_to_line(line, edit, item);
			continue;
		}
		if (!column)
			print_section(stream, edit, document->line_count > 0);
		if (!column || column + 2 + (int)strlen(item) > LINE_WIDTH)
			column = fprintf(stream, "%s%-6s = %s", column ? "\n" : "", ini_verdict_words[edit->verdict], item);
		else
			column += fprintf(stream, ", %s", item);
	}
	if (column)
		fputc('\n', stream);
}

char *ini_edit(const char *text, const struct rule_edit *edit, char **problem)
{
	struct document document = { 0 };
	_cleanup_free_ char *added = NULL;
	const char *mark = "";
	char *result = NULL;
	size_t length = 0;
	FILE *stream;

	*problem = NULL;
	if (!strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK))) {
		mark = BYTE_ORDER_MARK;
		text += strlen(BYTE_ORDER_MARK);
	}
	read_document(&document, text);
	for (size_t i = 0; i < document.part_count && !*problem; i++)
		if (concerns(&document.parts[i], edit))
			*problem = take_from(&document, &document.parts[i], edit);
	stream = must(open_memstream(&added, &length));
	if (!edit->remove && !*problem)
		add_items(&document, edit, stream);
	fclose(stream);
	stream = must(open_memstream(&result, &length));
	fputs(mark, stream);
	for (size_t i = 0; i < document.line_count; i++)
		if (document.lines[i].text)
			fprintf(stream, "%s\n", document.lines[i].text);
	fputs(added, stream);
	fclose(stream);
	clear_document(&document);
	if (!*problem)
		return result;
	free(result);
	return NULL;
}
