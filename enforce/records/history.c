/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Walks through the log first and then through the buffers, and gives out what the filter wants.
 */
#include "enforce/records/history.h"

#include <errno.h>
#include <string.h>

#include "enforce/base/privileges.h"

/* ---------------------------------------------------------------------------------------------
 * Opening
 */

static void warn_left_out(const struct log_files *files, const char *log)
{
	size_t count = files->unreadable;

	if (count)
		warn("%zu older file%s of %s may not be read by you, and %s left out", count, count == 1 ? "" : "s", log,
		     count == 1 ? "is" : "are");
	count = files->foreign;
	if (count)
		warn("%zu older file%s of %s %s compressed, not with gzip, and left out; unpack what shall be read", count,
		     count == 1 ? "" : "s", log, count == 1 ? "is" : "are");
}

static enum status open_log(struct history *history, const char *path)
{
	const char *name = path ? path : LOG_PATH;
	int error = log_open(&history->log, name);

	if (!error)
		warn_left_out(&history->log.files, name);
	history->log.files.tell = warn;
	if (!error)
		error = log_end(&history->log, &history->end);
	if (!error && path && !history->log.files.count)
		error = -ENOENT;
	return error ? fail(STATUS_FAILED, "can't read the log %s: %s", name, strerror(-error)) : STATUS_DONE;
}

static enum status start_live(struct history *history, const struct reader_mark *from)
{
	int error = reader_start(&history->reader, history->kernel, history->filter->verdicts, from, true);

	return error ? fail(STATUS_FAILED, "can't read the events: %s", strerror(-error)) : STATUS_DONE;
}

/* Opens the log first: what is written to it from now on is read from the kernel. */
static enum status open_both(struct history *history, const char *path)
{
	static const struct reader_mark beginning;
	enum status status = open_log(history, path);

	if (status != STATUS_DONE)
		return status;
	if (history->kernel)
		return start_live(history, log_same_source(&history->end, &history->live) ? &history->end.mark : &beginning);
	return history->without == STATUS_DONE || log_files_have_text(&history->log.files) ? STATUS_DONE : kernel_is_loaded(false);
}

enum status history_open(struct history *history, const struct filter *filter, struct kernel *kernel, const char *path)
{
	bool log_only = path && !privileges_open_pins();

	*history = (struct history){ .filter = filter, .since = filter->since };
	if (!log_only)
		history->without = kernel_open(kernel, false, true);
	kernel_keep_readable(kernel);
	if (!log_only && history->without == STATUS_DONE)
		history->kernel = kernel;
	else if (history->without != STATUS_NOT_LOADED && !path)
		return history->without;
	history->maker.names.kernel = history->kernel;
	history->live = log_source_of(history->kernel ? kernel_instance() : 0);
	needles_find(&history->needles, filter);
	return open_both(history, path);
}

void history_close(struct history *history)
{
	reader_close(&history->reader);
	record_maker_clear(&history->maker);
	log_close(&history->log);
	needles_clear(&history->needles);
	*history = (struct history){ 0 };
}

enum status history_continue(struct history *history, const struct log_source *from)
{
	bool found = false, is_live = history->kernel && log_same_source(from, &history->live);
	int error = 0;

	history->at = *from;
	history->exact = true;
	if (!from->boot_id[0])
		return STATUS_DONE;
	/* The place is behind the end of the log, which has nothing new then. */
	if (is_live && (!log_same_source(&history->end, from) || from->mark.seq >= history->end.mark.seq)) {
		reader_close(&history->reader);
		log_close(&history->log);
		return start_live(history, &from->mark);
	}
	error = log_seek_mark(&history->log, from, &found);
	if (error)
		return fail(STATUS_FAILED, "can't read the log: %s", strerror(-error));
	if (!found) {
		history->at = (struct log_source){ 0 };
		warn("the place of the checkpoint is neither in the kernel nor in a log any more; beginning with the oldest event");
	}
	return STATUS_DONE;
}

/* ---------------------------------------------------------------------------------------------
 * The log
 */

static uint64_t wanted_of(const struct history *history, const uint64_t missed[VERDICTS])
{
	uint64_t sum = 0;

	for (unsigned verdict = 0; verdict < VERDICTS; verdict++)
		if (history->filter->verdicts & VERDICT_BIT(verdict))
			sum += missed[verdict];
	return sum;
}

static bool is_in_time(const struct filter *filter, int64_t boot)
{
	return boot >= filter->since && (!filter->has_until || boot <= filter->until);
}

static int give_missed(struct history *history, const struct log_line *line, history_function each, void *context)
{
	const struct history_item item = { .missed = wanted_of(history, line->missed), .boot = log_boot_time(&history->log, line->real) };

	if (!item.missed || !is_in_time(history->filter, item.boot))
		return 0;
	return each(context, &item);
}

/* Reads a line and gives it out, if it is wanted. */
static int give_line(struct history *history, struct log_line *line, const char *text, size_t length, history_function each, void *context)
{
	const struct history_item item = { .record = &line->record, .line = text, .length = length };

	if (line->kind == LOG_LINE_MISSED)
		return give_missed(history, line, each, context);
	if (line->kind != LOG_LINE_EVENT)
		return 0;
	line->event.time_boot = (__u64)log_boot_time(&history->log, line->real);
	return filter_matches(history->filter, &line->record) ? each(context, &item) : 0;
}

/* Returns true if an earlier walk, which ended at `from`, hasn't had the line. */
static bool is_new(const struct history *history, const struct log_source *from, const struct log_line *line)
{
	if (line->kind == LOG_LINE_EVENT)
		return line->event.seq >= from->mark.seq;
	for (unsigned verdict = 0; verdict < VERDICTS && line->kind == LOG_LINE_MISSED; verdict++)
		if (history->filter->verdicts & VERDICT_BIT(verdict) && line->source.mark.dealt[verdict] + line->source.mark.lost[verdict] >
										from->mark.dealt[verdict] + from->mark.lost[verdict])
			return true;
	return false;
}

/*
 * Returns true if an earlier walk, which ended at `from`, has had the line: it stands before the mark, or before the events of that
 * kernel side. Events behind the mark are new, and so are all of later kernel sides. *passed: that kernel side was found.
 */
static bool pass_over(const struct history *history, const struct log_source *from, const struct log_line *line, bool *passed)
{
	bool same = log_same_source(&history->log.source, from), over = *passed ? same : true;

	*passed = *passed || same;
	if (same && is_new(history, from, line))
		over = false;
	return over;
}

static int walk_exactly(struct history *history, history_function each, void *context)
{
	const struct log_source from = history->at;
	bool passed = !from.boot_id[0];
	const char *text;
	size_t length;
	int result;

	while (!(result = log_next(&history->log, &text, &length)) && text) {
		struct log_line line;

		log_line_read(&line, text, length);
		if (!from.boot_id[0] || !pass_over(history, &from, &line, &passed)) {
			result = give_line(history, &line, text, length, each, context);
			log_line_count(&line, &history->at);
		}
		log_line_clear(&line);
		if (result)
			break;
	}
	return result;
}

int history_walk_until(struct history *history, size_t file, off_t offset, history_function each, void *context)
{
	const char *text;
	size_t length;
	int result = 0;

	while (!result && !log_is_at(&history->log, file, offset)) {
		struct log_line line;

		result = log_next(&history->log, &text, &length);
		if (result || !text)
			break;
		if (!needles_are_in(&history->needles, text, length) && !log_line_is_source(text, length))
			continue;
		log_line_read(&line, text, length);
		result = give_line(history, &line, text, length, each, context);
		log_line_clear(&line);
	}
	return result;
}

int history_walk_log(struct history *history, int64_t since, history_function each, void *context)
{
	int result;

	history->since = since;
	if (history->exact)
		return walk_exactly(history, each, context);
	result = log_seek_time(&history->log, since);
	return result ? result : history_walk_until(history, history->log.files.count, 0, each, context);
}

/* ---------------------------------------------------------------------------------------------
 * The buffers
 */

/* If a buffer still has events from before `since`, then all that it has lost is older, and nobody asked for it. */
static void begin_buffer(struct history *history, const struct event *first)
{
	unsigned verdict = first->verdict & (VERDICTS - 1);

	if (!history->begun[verdict] && (int64_t)first->time_boot < history->since)
		history->said[verdict] += history->reader.buffer[verdict].overwritten;
	history->begun[verdict] = true;
}

/*
 * Gives out how many events were overwritten before they could be read, where they would have stood: before what is left. `all`
 * includes buffers that have nothing left.
 */
static int give_live_missed(struct history *history, bool all, history_function each, void *context)
{
	struct history_item item = { .boot = when_now().boot };

	for (unsigned verdict = 0; verdict < VERDICTS; verdict++) {
		uint64_t missed = reader_missed(&history->reader, verdict);

		if (missed <= history->said[verdict] || !(all || history->begun[verdict]))
			continue;
		item.missed += missed - history->said[verdict];
		history->said[verdict] = missed;
	}
	return item.missed ? each(context, &item) : 0;
}

static int give_live(struct history *history, const struct event *event, history_function each, void *context)
{
	const struct record record = record_make(&history->maker, event);
	const struct history_item item = { .record = &record };

	return filter_matches(history->filter, &record) ? each(context, &item) : 0;
}

int history_walk_live(struct history *history, history_function each, void *context, bool *more)
{
	struct reader *reader = &history->reader;
	int result = reader_collect(reader);
	size_t i = 0;

	while (!result && i < reader->ready) {
		const struct event *event = &reader->events[i++];

		begin_buffer(history, event);
		result = give_live_missed(history, false, each, context);
		if (!result)
			result = give_live(history, event, each, context);
	}
	reader_advance(reader, i);
	*more = reader->ready || !reader_is_through(reader);
	if (!result && !*more)
		result = give_live_missed(history, true, each, context);
	history->at = history->live;
	history->at.mark = reader_mark(reader);
	return result;
}
