/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the log backwards, a stretch at a time, until it has enough events, so that the end of a log of gigabytes is there at once. Within
 * a stretch it reads forwards, and keeps the lines that are wanted.
 */
#include "enforce/records/history_tail.h"

#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"

/* Lines as they stand in the log. */
struct lines {
	struct kept_line {
		char *text;
		size_t length;
		int64_t boot; /* time of its event, ns since boot */
	} * list;
	size_t count, room;
};

static int keep_line(void *context, const struct history_item *item)
{
	struct lines *lines = context;

	if (!item->record)
		return 0;
	if (lines->count == lines->room) {
		lines->room = lines->room ? 2 * lines->room : 64;
		lines->list = must(reallocarray(lines->list, lines->room, sizeof(*lines->list)));
	}
	lines->list[lines->count++] =
		(struct kept_line){ must(strndup(item->line, item->length)), item->length, (int64_t)item->record->event->time_boot };
	return 0;
}

static int give_kept(const struct kept_line *kept, history_function each, void *context)
{
	struct log_line line;
	const struct history_item item = { .record = &line.record, .line = kept->text, .length = kept->length };
	int result;

	log_line_read(&line, kept->text, kept->length);
	line.event.time_boot = (__u64)kept->boot;
	result = each(context, &item);
	log_line_clear(&line);
	return result;
}

/* Stretches of the log, the last stretch first. */
struct stretches {
	struct lines *list;
	size_t count;
	size_t lines; /* in all of them */
};

/* Keeps the events that are wanted, stretch by stretch from the end of the log, until there are enough or no more. */
static int keep_tail(struct history *history, size_t most, struct stretches *stretches)
{
	struct log_reader *log = &history->log;
	size_t file = log->files.count;
	off_t offset = 0, end;
	int error;

	while (!(error = log_seek_back(log, &file, &offset, &end)) && end && stretches->lines < most) {
		bool last = log_is_before(log, history->filter->since);
		struct lines *lines;

		stretches->list = must(reallocarray(stretches->list, stretches->count + 1, sizeof(*stretches->list)));
		lines = &stretches->list[stretches->count++];
		*lines = (struct lines){ 0 };
		error = history_walk_until(history, file, end, keep_line, lines);
		stretches->lines += lines->count;
		if (error || last)
			return error;
	}
	return error;
}

int history_walk_tail(struct history *history, size_t most, history_function each, void *context)
{
	struct stretches stretches = { 0 };
	int result = keep_tail(history, most, &stretches);
	size_t surplus = stretches.lines > most ? stretches.lines - most : 0;

	while (stretches.count-- > 0) {
		struct lines *lines = &stretches.list[stretches.count];

		for (size_t i = 0; i < lines->count; i++) {
			if (surplus)
				surplus--;
			else if (!result)
				result = give_kept(&lines->list[i], each, context);
			free(lines->list[i].text);
		}
		free(lines->list);
	}
	free(stretches.list);
	return result;
}
