/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/denied_listeners.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/base/status.h"
#include "enforce/kernel/family.h"
#include "policy/cleanup.h"

/* Print at most this many lines, and the number of the others. */
#define LINES_MAX 20
/* Name at most this many places, processes or users on a line. */
#define ITEMS_MAX 4

/* A list of different texts, of which the first few are kept: `12, 13 and 2 more`. */
struct items {
	char text[ITEMS_MAX][LISTENER_TEXT_MAX];
	size_t count, more;
};

/* Adds `text`. Returns false if it is there already. */
static bool add_item(struct items *items, const char *text)
{
	size_t kept = items->count < ITEMS_MAX ? items->count : ITEMS_MAX;

	for (size_t i = 0; i < kept; i++)
		if (!strcmp(items->text[i], text))
			return false;
	if (kept < ITEMS_MAX)
		snprintf(items->text[kept], sizeof(items->text[kept]), "%s", text);
	else
		items->more++;
	items->count++;
	return true;
}

static void print_items(FILE *stream, const char *noun, const struct items *items)
{
	fprintf(stream, "%s%s", noun, *noun ? items->count > 1 ? "s " : " " : "");
	for (size_t i = 0; i < items->count && i < ITEMS_MAX; i++)
		fprintf(stream, "%s%s", i ? ", " : "", items->text[i]);
	if (items->more)
		fprintf(stream, " and %zu more", items->more);
}

static const char *protocol_of(const struct listener *listener)
{
	return protocol_word(listener->socket.family, listener->socket.protocol);
}

static bool belong_together(const struct denied_listener *a, const struct denied_listener *b)
{
	const struct listener *x = a->listener, *y = b->listener;

	return x->socket.local.port == y->socket.local.port && a->shared == b->shared && a->refused == b->refused &&
	       !strcmp(x->path ?: "", y->path ?: "") && x->foreign == y->foreign && !strcmp(protocol_of(x), protocol_of(y));
}

/* What the listeners of one line have. */
struct line {
	struct items places, pids, users;
	const char *unit; /* that all of them are of; NULL: none */
};

static void add_listener(struct line *line, const struct listener *listener)
{
	char text[LISTENER_TEXT_MAX];

	add_item(&line->places, listener_text(listener, text));
	snprintf(text, sizeof(text), "%" PRIu32, listener->socket.pid);
	/* Processes that share one socket share the others too, as a rule: they are counted once. */
	if (add_item(&line->pids, text))
		line->pids.more += listener->processes - 1;
	snprintf(text, sizeof(text), "%" PRIu32, listener->socket.uid);
	add_item(&line->users, text);
	if (line->unit && strcmp(line->unit, listener->unit ?: "") != 0)
		line->unit = NULL;
}

static void name(struct denied_listener *first, size_t count)
{
	struct line line = { .unit = first->listener->unit };
	_cleanup_free_ char *text = NULL;
	char program[LISTENER_PROGRAM_MAX];
	size_t size = 0;
	FILE *stream;

	for (size_t i = 0; i < count; i++) {
		if (first[i].named || !belong_together(first, &first[i]))
			continue;
		first[i].named = true;
		add_listener(&line, first[i].listener);
	}
	stream = must(open_memstream(&text, &size));
	print_items(stream, "", &line.places);
	print_items(stream, " (pid", &line.pids);
	print_items(stream, ", user", &line.users);
	fprintf(stream, "%s%s)", line.unit ? ", " : "", line.unit ?: "");
	fclose(stream);
	warn("%s listens on %s, which the new policy denies%s%s", listener_program(first->listener, program), text,
	     first->refused ? ", as it will the next listen(2)" : "", first->shared ? "; others who have the socket too stay allowed" : "");
}

void denied_listeners_warn(struct denied_listener *denied, size_t count)
{
	size_t lines = 0, more = 0;

	for (size_t i = 0; i < count; i++) {
		if (denied[i].named)
			continue;
		if (lines++ < LINES_MAX)
			name(&denied[i], count - i);
		else
			more++;
	}
	if (more)
		warn("the new policy denies %zu more listeners; see: sockaccept-ctl listeners", more);
}
