/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the text of a policy file into lines and sections, so that it can be changed.
 */
#include "policy/ini_document.h"

#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/grow.h"
#include "policy/text.h"

static enum key key_of(const char *text, const struct ini_line *line)
{
	_cleanup_free_ char *key = must(strndup(text + line->start, line->separator - line->start));

	return word_find(text_trim(key), ini_key_words, KEYS);
}

/* Returns the line `text`, which it takes over. `continued`: the last key in its section, whose value an indented line continues. */
static struct document_line line_of(char *text, enum key continued)
{
	const struct ini_line seen = ini_line_split(text);
	enum key key = KEY_NONE;

	if (seen.kind == INI_LINE_MORE)
		key = continued;
	else if (seen.kind == INI_LINE_PAIR)
		key = key_of(text, &seen);
	return (struct document_line){ .text = text, .kind = seen.kind, .key = key, .value = seen.value, .end = seen.end };
}

static void read_lines(struct document *document, const char *text)
{
	enum key last = KEY_NONE;

	while (*text) {
		size_t length = strcspn(text, "\n");
		const struct document_line line = line_of(must(strndup(text, length)), last);

		APPEND(document->lines, document->line_count, line);
		/* Comments and blank lines may stand between a value and what continues it. */
		if (line.kind != INI_LINE_EMPTY)
			last = line.key;
		text += length + (text[length] == '\n');
	}
}

char *document_value(const struct document_line *line)
{
	return must(strndup(line->text + line->value, line->end - line->value));
}

/* Passes over users whom nobody knows: no edit is about them. */
static void read_users(struct part *part, struct user_cache *cache, const struct document_line *line)
{
	_cleanup_free_ char *value = document_value(line);
	char *rest = value, *item;

	while ((item = text_next_item(&rest)))
		free(user_items_add(&part->users, cache, item));
}

static void read_parts(struct document *document)
{
	struct user_cache cache = { 0 };
	struct part *part = NULL;

	for (size_t i = 0; i < document->line_count; i++) {
		const struct document_line *line = &document->lines[i];

		if (line->kind == INI_LINE_HEADER) {
			bool made = !strncmp(line->text, MADE_HEADER, strlen(MADE_HEADER));

			APPEND(document->parts, document->part_count, ((struct part){ .first = i, .made = made }));
			part = &document->parts[document->part_count - 1];
		}
		if (!part)
			continue;
		part->end = i + 1;
		if (line->key == KEY_BINARY)
			APPEND(part->binaries, part->binary_count, document_value(line));
		else if (line->key == KEY_USER)
			read_users(part, &cache, line);
	}
	user_cache_clear(&cache);
}

void document_read(struct document *document, const char *text)
{
	read_lines(document, text);
	read_parts(document);
}

void document_set_text(struct document_line *line, char *text)
{
	const char *end = strrchr(text, '\n');
	size_t last = end ? (size_t)(end + 1 - text) : 0;
	const struct ini_line seen = ini_line_split(text + last);

	free(line->text);
	line->text = text;
	line->kind = seen.kind;
	line->value = last + seen.value;
	line->end = last + seen.end;
	if (line->kind == INI_LINE_EMPTY)
		line->key = KEY_NONE;
}

void document_drop(struct document_line *line)
{
	free(line->text);
	*line = (struct document_line){ .kind = INI_LINE_EMPTY, .key = KEY_NONE };
}

void document_clear(struct document *document)
{
	for (size_t i = 0; i < document->line_count; i++)
		free(document->lines[i].text);
	for (size_t i = 0; i < document->part_count; i++) {
		for (size_t k = 0; k < document->parts[i].binary_count; k++)
			free(document->parts[i].binaries[k]);
		free(document->parts[i].binaries);
		user_items_clear(&document->parts[i].users);
	}
	free(document->lines);
	free(document->parts);
	*document = (struct document){ 0 };
}
