/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * audit: the events, oldest first.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "enforce/checkpoint.h"
#include "enforce/event.h"
#include "enforce/filter.h"
#include "enforce/kernel.h"
#include "enforce/reader.h"
#include "enforce/verb.h"
#include "enforce/when.h"

/* How often --follow looks for new events, and how often it keeps where it is. */
#define POLL_NS 50000000L
#define CHECKPOINT_NS 1000000000LL

struct audit {
	struct filter filter;
	size_t limit;           /* SIZE_MAX: none */
	const char *checkpoint; /* NULL: none */
	bool follow;
	unsigned long long instance; /* of the kernel side that is read */
	struct reader reader;
	struct output output;
	struct event_printer printer;
	uint64_t said; /* of the missed events, those that were spoken of */
	struct reader_mark kept; /* in the checkpoint */
};

/* --follow ends here in its own way: what it has printed is kept in the checkpoint. */
static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* What was overwritten before it could be read is said where it would have stood: before what is left. */
static int print_missed(struct audit *audit)
{
	uint64_t missed = reader_missed(&audit->reader);
	struct output *output = &audit->output;
	uint64_t more = missed - audit->said;

	if (missed <= audit->said)
		return 0;
	audit->said = missed;
	if (!output->json) {
		fflush(stdout);
		warn("missed %" PRIu64 " event%s: overwritten before they could be read, or never written", more,
		     more == 1 ? "" : "s");
		return 0;
	}
	output_open_object(output, NULL);
	output_number(output, "schema", NULL, 1);
	output_number(output, "missed", NULL, more);
	output_close(output);
	return output_end(output);
}

/* What a buffer has lost from before --since was not asked for: what it still has begins earlier. */
static void pass_over_missed(struct audit *audit)
{
	const struct reader *reader = &audit->reader;
	bool seen[VERDICTS] = { false };

	for (size_t i = 0; i < reader->count; i++) {
		const struct event *event = &reader->events[i];
		unsigned verdict = event->verdict & (VERDICTS - 1);

		if (!seen[verdict] && (int64_t)event->time_boot < audit->filter.since)
			audit->said += reader->buffer[verdict].overwritten;
		seen[verdict] = true;
	}
}

static bool is_wanted(struct audit *audit, size_t index)
{
	return filter_matches(&audit->filter, &audit->printer.names, &audit->reader.events[index]);
}

/* The place from which on no more than --limit are wanted: the last ones, or behind a checkpoint the first. */
static size_t first_wanted(struct audit *audit)
{
	size_t wanted = 0, i = audit->reader.ready;

	if (audit->limit == SIZE_MAX || audit->checkpoint)
		return 0;
	while (i > 0 && wanted < audit->limit)
		wanted += is_wanted(audit, --i);
	if (wanted == audit->limit)
		audit->said = reader_missed(&audit->reader); /* they are older: the last ones are all there */
	return i;
}

static int print_ready(struct audit *audit)
{
	size_t i = first_wanted(audit);
	int error = print_missed(audit);

	for (; i < audit->reader.ready && audit->limit && !error; i++) {
		if (!is_wanted(audit, i))
			continue;
		error = event_print(&audit->printer, &audit->reader.events[i]);
		if (audit->limit != SIZE_MAX && audit->checkpoint)
			audit->limit--;
	}
	if (!error)
		error = output_flush(&audit->output);
	/* Behind a limit that is used up, nothing is taken: the next run with the checkpoint begins there. */
	reader_advance(&audit->reader, i < audit->reader.ready ? i : audit->reader.ready);
	if (!audit->checkpoint)
		audit->limit = SIZE_MAX; /* it was for what was there at the start */
	return error;
}

static enum status keep_mark(struct audit *audit)
{
	struct reader_mark mark = reader_mark(&audit->reader);

	if (!memcmp(&mark, &audit->kept, sizeof(mark)))
		return STATUS_DONE;
	audit->kept = mark;
	return checkpoint_write(audit->checkpoint, audit->instance, audit->filter.verdicts, &mark);
}

static bool is_over(const struct audit *audit)
{
	return interrupted || !audit->limit || (audit->filter.has_until && when_now().boot > audit->filter.until);
}

/* Returns STATUS_DONE too when it was interrupted. */
static enum status print_events(struct audit *audit)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	int64_t kept = when_now().boot;
	enum status status;

	for (bool first = true;; first = false) {
		/* Asked before the last look at the events, so that none of them is left. */
		bool over = !audit->follow || is_over(audit), unloaded = audit->follow && kernel_instance() != audit->instance;
		int error = reader_collect(&audit->reader);

		if (error)
			return fail(STATUS_FAILED, "can't read the events: %s", strerror(-error));
		if (first)
			pass_over_missed(audit);
		error = print_ready(audit);
		if (error)
			return fail(STATUS_FAILED, "can't print the events: %s", strerror(-error));
		if (unloaded)
			return fail(STATUS_NOT_LOADED, "unloaded meanwhile: no further events come; to follow a new load, "
				    "run it again");
		if (audit->checkpoint && (over || when_now().boot - kept >= CHECKPOINT_NS)) {
			status = keep_mark(audit);
			if (status != STATUS_DONE)
				return status;
			kept = when_now().boot;
		}
		if (over)
			return STATUS_DONE;
		nanosleep(&pause, NULL);
	}
}

static enum status read_limit(struct audit *audit, const char *text)
{
	audit->limit = SIZE_MAX;
	if (!text)
		return STATUS_DONE;
	if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 9 || !strtoul(text, NULL, 10))
		return fail(STATUS_USAGE, "--limit '%s': write a number of events from 1 to 999999999", text);
	audit->limit = strtoul(text, NULL, 10);
	return STATUS_DONE;
}

static enum status read_options(struct audit *audit, const struct invocation *invocation)
{
	enum status status = read_limit(audit, invocation->given[OPTION_LIMIT]);

	audit->checkpoint = invocation->given[OPTION_CHECKPOINT];
	audit->follow = invocation->given[OPTION_FOLLOW];
	return status == STATUS_DONE ? filter_read(&audit->filter, invocation) : status;
}

static void catch_signals(void)
{
	/* A line that is being written is written whole; a second signal ends it all the same. */
	struct sigaction action = { .sa_handler = interrupt, .sa_flags = SA_RESTART | (int)SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static enum status start(struct audit *audit, const struct kernel *kernel, const struct invocation *invocation)
{
	enum status status = STATUS_DONE;
	int error;

	audit->instance = kernel_instance();
	if (audit->checkpoint)
		status = checkpoint_read(audit->checkpoint, audit->instance, audit->filter.verdicts, &audit->kept);
	/* Written at once: where it can't be, nothing is printed that would be printed again. */
	if (status == STATUS_DONE && audit->checkpoint)
		status = checkpoint_write(audit->checkpoint, audit->instance, audit->filter.verdicts, &audit->kept);
	if (status != STATUS_DONE)
		return status;
	error = reader_start(&audit->reader, kernel, audit->filter.verdicts, &audit->kept);
	if (error)
		return fail(STATUS_FAILED, "can't read the events: %s", strerror(-error));
	output_start(&audit->output, stdout, invocation->given[OPTION_JSON]);
	event_start(&audit->printer, &audit->output, kernel, invocation->given[OPTION_UTC]);
	if (audit->follow)
		catch_signals();
	return STATUS_DONE;
}

enum status verb_audit(const struct invocation *invocation)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	struct audit audit = { 0 };
	enum status status = read_options(&audit, invocation);

	if (status == STATUS_DONE)
		status = kernel_open(&kernel, false, false);
	if (status == STATUS_DONE)
		status = start(&audit, &kernel, invocation);
	if (status == STATUS_DONE)
		status = print_events(&audit);
	reader_close(&audit.reader);
	event_clear(&audit.printer);
	filter_clear(&audit.filter);
	return status;
}
