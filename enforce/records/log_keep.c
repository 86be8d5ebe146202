/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies batches of events from the reader to the writer, with sources where the log needs them.
 */
#include "enforce/records/log_keep.h"

#include <string.h>

#include "enforce/base/when.h"
#include "enforce/records/event.h"

#define BATCHES 64            /* of events that one log_keep() writes */
#define TOLD_NS 60000000000LL /* least time between two warnings of servers that spin, and how old the event of one may be */

enum status log_keep_begin_with(struct log_keeper *keeper, const struct kernel *kernel, uint64_t instance)
{
	struct log_source *source = &keeper->source;
	int error;

	*source = log_source_of(instance);
	if (log_same_source(source, &keeper->end))
		*source = keeper->end;
	error = reader_start(&keeper->reader, kernel, VERDICT_BIT(VERDICT_ALLOW) | VERDICT_BIT(VERDICT_DENY), &source->mark, false);
	if (error)
		return fail(STATUS_FAILED, "can't read the events: %s", strerror(-error));
	keeper->maker = (struct record_maker){ .names.kernel = kernel };
	memset(keeper->said, 0, sizeof(keeper->said));
	keeper->spinning.count = 0;
	keeper->kernel = kernel;
	return STATUS_DONE;
}

enum status log_keep_begin(struct log_keeper *keeper, struct kernel *kernel)
{
	enum status status = kernel_open(kernel, false, true);

	kernel_keep_readable(kernel);
	if (status != STATUS_DONE)
		return status;
	return log_keep_begin_with(keeper, kernel, kernel_instance());
}

static struct log_source place_now(const struct log_keeper *keeper)
{
	struct log_source place = keeper->source;

	place.mark = reader_mark(&keeper->reader);
	return place;
}

bool log_keep_place(const struct log_keeper *keeper, struct log_source *place)
{
	if (!keeper->kernel || keeper->writer.error || keeper->writer.pending_bytes)
		return false;
	*place = place_now(keeper);
	return true;
}

enum status log_keep_again(struct log_keeper *keeper, const struct log_source *place)
{
	const struct kernel *kernel = keeper->kernel;
	uint64_t instance = keeper->source.instance;

	log_keep_end(keeper);
	keeper->end = *place;
	return log_keep_begin_with(keeper, kernel, instance);
}

void log_keep_end(struct log_keeper *keeper)
{
	/* The same kernel side may be read again. */
	if (keeper->kernel)
		keeper->end = place_now(keeper);
	reader_close(&keeper->reader);
	record_maker_clear(&keeper->maker);
	keeper->kernel = NULL;
}

/* Finds how many events were missed that the log doesn't have as such yet. Returns true if there are any. */
static bool find_missed(struct log_keeper *keeper, uint64_t missed[VERDICTS])
{
	bool any = false;

	for (unsigned verdict = 0; verdict < VERDICTS; verdict++) {
		uint64_t all = reader_missed(&keeper->reader, verdict);

		missed[verdict] = all > keeper->said[verdict] ? all - keeper->said[verdict] : 0;
		keeper->said[verdict] += missed[verdict];
		keeper->source.missed[verdict] += missed[verdict];
		any = any || missed[verdict];
	}
	return any;
}

/* A source has both clocks as they were when the next event was made, which may be long ago. */
static void take_clocks(struct log_keeper *keeper, const struct event *next)
{
	struct when_now clocks = next ? (struct when_now){ event_real(next), (int64_t)next->time_boot } : when_now();

	keeper->source.real = clocks.real;
	keeper->source.boot = clocks.boot;
}

/* Warns of a server that spins now. At most one line a minute, as anybody can make a server spin. */
static void tell_spinner(struct log_keeper *keeper, const struct record *record)
{
	struct spinner *spinner = spinning_note(&keeper->spinning, record->event);
	int64_t now = when_now().boot;
	char text[SPINNER_TEXT_MAX];

	if (!spinner || spinner->told || now - spinner->last > TOLD_NS || (keeper->spinner_at && now - keeper->spinner_at < TOLD_NS))
		return;
	spinner->told = true;
	keeper->spinner_at = now;
	warn("%s", spinner_text(spinner, record, text));
}

static void add_event(struct log_keeper *keeper, const struct event *event)
{
	static const uint64_t none[VERDICTS];
	const struct record record = record_make(&keeper->maker, event);

	take_clocks(keeper, event);
	keeper->source.mark.seq = event->seq;
	log_add_source(&keeper->writer, &keeper->source, none);
	log_add_event(&keeper->writer, &record);
	keeper->source.mark.dealt[event->verdict & (VERDICTS - 1)]++;
	tell_spinner(keeper, &record);
}

/* Adds a batch of events, and before it a source and what was missed, where that is needed. */
static void add_batch(struct log_keeper *keeper)
{
	struct reader *reader = &keeper->reader;
	uint64_t missed[VERDICTS];
	bool any = find_missed(keeper, missed);

	take_clocks(keeper, reader->ready ? reader->events : NULL);
	keeper->source.mark = reader_mark(reader);
	log_begin_batch(&keeper->writer, &keeper->source);
	if (any || keeper->writer.reopen)
		log_add_source(&keeper->writer, &keeper->source, missed);
	for (size_t i = 0; i < reader->ready; i++)
		add_event(keeper, &reader->events[i]);
	keeper->events += reader->ready;
	reader_advance(reader, reader->ready);
}

int64_t log_keep(struct log_keeper *keeper)
{
	int64_t count = 0;

	for (int batch = 0; batch < BATCHES; batch++) {
		int error;
		size_t ready;

		if (!log_flush(&keeper->writer))
			return count;
		error = reader_collect(&keeper->reader);
		if (error)
			return error;
		ready = keeper->reader.ready;
		count += (int64_t)ready;
		add_batch(keeper);
		if (!ready)
			break;
	}
	log_flush(&keeper->writer);
	return count;
}

bool log_is_kept(const struct log_keeper *keeper)
{
	return !keeper->writer.error && reader_is_through(&keeper->reader);
}
