/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes a rule in the text of a policy file: takes items out of its lines, and adds others.
 */
#include "policy/ini_edit.h"

#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/ini_document.h"
#include "policy/numbers.h"
#include "policy/port.h"
#include "policy/text.h"

/* How wide a line may become when an item is added. */
#define LINE_WIDTH 76
/* The same with its comment. inih takes more. */
#define LINE_MOST 160

/* ---------------------------------------------------------------------------------------------
 * What the edit is about
 */

/* Returns true if each of `a` is among `b`. */
static bool are_among(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
	for (size_t i = 0; i < a_count; i++)
		if (!numbers_have(b, b_count, a[i]))
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

/* Returns true if some rules of the section are for the edit's binary and users. */
static bool concerns(const struct part *part, const struct rule_edit *edit)
{
	if (!names_binary(part, edit->path) || (edit->remove && removal_is_of_made(edit->removal) && !part->made))
		return false;
	if (is_for_any_user(edit))
		return true;
	if (!edit->uid_count || !part->users.count)
		return !edit->uid_count && !part->users.count;
	for (size_t i = 0; i < part->users.count; i++)
		if (numbers_have(edit->uids, edit->uid_count, part->users.list[i]))
			return true;
	return false;
}

/* Returns true if all rules of the section are. */
static bool is_all_about(const struct part *part, const struct rule_edit *edit)
{
	return part->binary_count == 1 &&
	       (is_for_any_user(edit) || are_among(part->users.list, part->users.count, edit->uids, edit->uid_count));
}

/* Returns true if the section is for the edit's binary and for all of its users. */
static bool covers(const struct part *part, const struct rule_edit *edit)
{
	return concerns(part, edit) && are_among(edit->uids, edit->uid_count, part->users.list, part->users.count);
}

static bool is_of_ports(const struct rule_edit *edit, const char *word)
{
	struct port_item item;

	return !edit->port_count || (!port_parse(word, &item) && port_is_among(&item, edit->ports, edit->port_count));
}

static bool has_ports(const struct document_line *line)
{
	return line->key == KEY_ALLOW || line->key == KEY_DENY;
}

static bool says_the_same(const struct document_line *line, const struct rule_edit *edit)
{
	return !edit->remove && (line->key == KEY_DENY) == (edit->verdict == VERDICT_DENY);
}

/* Returns true if the line has one of the edit's ports. */
static bool mentions(const struct document_line *line, const struct rule_edit *edit)
{
	_cleanup_free_ char *value = document_value(line);
	char *rest = value, *item;
	bool found = false;

	while ((item = text_next_item(&rest)))
		found |= *item && is_of_ports(edit, item);
	return found;
}

/* ---------------------------------------------------------------------------------------------
 * Taking ports out
 */

/* Rewrites a line with a key of its own and without the edit's ports. If no port is left, only the comment stays. */
static void rewrite_line(struct document_line *line, const struct rule_edit *edit)
{
	_cleanup_free_ char *value = document_value(line);
	const char *behind = line->text + line->end, *comment = behind + strspn(behind, " \t\r");
	char *rest = value, *text = NULL, *item;
	size_t length = 0, items = 0;
	FILE *stream = must(open_memstream(&text, &length));

	while ((item = text_next_item(&rest)))
		if (*item && !is_of_ports(edit, item))
			fprintf(stream, items++ ? ", %s" : line->key == KEY_DENY ? "deny   = %s" : "allow  = %s", item);
	if (*comment)
		fprintf(stream, "%s%s", items ? " " : "", comment);
	fclose(stream);
	document_set_text(line, text);
	if (!*text)
		document_drop(line);
}

/* Returns where the next key or section begins, after the value that begins in line `first` and the lines that continue it. */
static size_t value_lines(const struct document *document, const struct part *part, size_t first)
{
	size_t end = first + 1;

	while (end < part->end && (document->lines[end].kind == INI_LINE_EMPTY || document->lines[end].kind == INI_LINE_MORE))
		end++;
	return end;
}

/* Drops a section that has no port left, but keeps its comments. */
static void drop_if_empty(const struct document *document, const struct part *part)
{
	for (size_t i = part->first; i < part->end; i++)
		if (has_ports(&document->lines[i]) || document->lines[i].key == KEY_LISTEN)
			return;
	for (size_t i = part->first; i < part->end; i++)
		if (document->lines[i].kind != INI_LINE_EMPTY)
			document_drop(&document->lines[i]);
}

static char *shares(const struct document *document, const struct part *part, size_t line)
{
	return text_format("%zu: %s: this line is for other binaries or users too; change it there yourself", line + 1,
			   document->lines[part->first].text);
}

/* Takes the edit's ports out of one section. Returns what is wrong, or NULL. */
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
				continue; /* it says so for some of the users; add_items() makes a section for the others */
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
 * Adding ports
 */

/* Returns true if a section for the edit's binary and all of its users says this of the port. */
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

/* Returns the last line with ports of this verdict in a section of exactly this binary and these users, or NULL. */
static struct document_line *line_for(const struct document *document, const struct rule_edit *edit)
{
	struct document_line *found = NULL;

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

/* Adds an item to `line`, or a line after it if it would become too long. */
static void add_to_line(struct document_line *line, const struct rule_edit *edit, const char *item)
{
	size_t length = line->end;

	while (length > line->value && (line->text[length - 1] == ',' || line->text[length - 1] == ' '))
		length--;
	if (length + 2 + strlen(item) <= LINE_WIDTH && strlen(line->text) + 2 + strlen(item) <= LINE_MOST)
		document_set_text(line, text_format("%.*s, %s%s", (int)length, line->text, item, line->text + line->end));
	else
		document_set_text(line, text_format("%s\n%-6s = %s", line->text, ini_verdict_words[edit->verdict], item));
}

/* Prints users as they were given: on another machine, the same name can have another id. */
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

/* Adds the items that no section has yet: to a line that is there, or to a new section, which it prints to `stream`. */
static void add_items(const struct document *document, const struct rule_edit *edit, FILE *stream)
{
	struct document_line *line = line_for(document, edit);
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
	document_read(&document, text);
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
	document_clear(&document);
	if (!*problem)
		return result;
	free(result);
	return NULL;
}
