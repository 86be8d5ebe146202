/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * audit: prints the events of the lasting log and of the kernel, oldest first.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "enforce/base/escape.h"
#include "enforce/base/when.h"
#include "enforce/kernel/kernel.h"
#include "enforce/records/checkpoint.h"
#include "enforce/records/event_print.h"
#include "enforce/records/history_tail.h"
#include "enforce/verbs/filter_options.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"

/* How often --follow looks for new events, and how often it writes its checkpoint. */
#define POLL_NS 50000000L
#define CHECKPOINT_NS 1000000000LL

/* What print_item() returns when it has printed as many events as --limit allows. */
#define ENOUGH 1

struct audit {
	struct filter filter;
	size_t limit;           /* SIZE_MAX: none */
	const char *checkpoint; /* NULL: none */
	bool follow;
	struct history history;
	struct output output;
	struct event_printer printer;
	struct log_source kept; /* the place that the checkpoint has */

	/* The last live events, for --limit: a ring. */
	struct event *last;
	size_t last_count, last_room, last_next;
	uint64_t missed; /* events missed before them */
};

/* Set by SIGINT and SIGTERM, so that --follow ends with its checkpoint written. */
static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* ---------------------------------------------------------------------------------------------
 * Printing
 */

static int print_missed(struct audit *audit, uint64_t missed)
{
	struct output *output = &audit->output;

	if (!output->json) {
		fflush(stdout);
		warn("missed %" PRIu64 " event%s: overwritten before they could be read, or never written", missed, missed == 1 ? "" : "s");
		return 0;
	}
	output_open_object(output, NULL);
	output_number(output, "schema", NULL, 1);
	output_number(output, "missed", NULL, missed);
	output_close(output);
	return output_line(output);
}

static int print_record(struct audit *audit, const struct history_item *item)
{
	if (!item->line || !audit->output.json)
		return event_print(&audit->printer, item->record);
	escape_print_json_line(stdout, item->line, item->length);
	return output_line(&audit->output);
}

/* With a checkpoint, --limit says how many events are printed, and the next run goes on after them. */
static int print_item(void *context, const struct history_item *item)
{
	struct audit *audit = context;
	int error = item->record ? print_record(audit, item) : print_missed(audit, item->missed);

	if (error || !item->record || audit->limit == SIZE_MAX || !audit->checkpoint)
		return error;
	return --audit->limit ? 0 : ENOUGH;
}

/* ---------------------------------------------------------------------------------------------
 * The last ones
 */

static int keep_last(void *context, const struct history_item *item)
{
	struct audit *audit = context;

	if (!item->record) {
		audit->missed += item->missed;
		return 0;
	}
	if (audit->last_count == audit->last_room && audit->last_room < audit->limit) {
		audit->last_room = audit->last_room ? 2 * audit->last_room : 256;
		if (audit->last_room > audit->limit)
			audit->last_room = audit->limit;
		audit->last = must(reallocarray(audit->last, audit->last_room, sizeof(*audit->last)));
	}
	if (audit->last_count < audit->last_room)
		audit->last_next = audit->last_count++;
	else
		audit->last_next = (audit->last_next + 1) % audit->last_room;
	audit->last[audit->last_next] = *item->record->event;
	return 0;
}

static int print_last(struct audit *audit)
{
	int error = 0;

	/* What was missed stands before them, unless they are all that was wanted. */
	if (audit->missed && audit->last_count < audit->limit)
		error = print_missed(audit, audit->missed);
	for (size_t i = 0; i < audit->last_count && !error; i++) {
		size_t place = (audit->last_next + 1 + i) % audit->last_count;
		const struct record record = record_make(&audit->history.maker, &audit->last[place]);

		error = event_print(&audit->printer, &record);
	}
	return error;
}

/* Prints the last events, as many as --limit says: those in the kernel, and before them those of the log. */
static int print_tail(struct audit *audit)
{
	bool more = audit->history.kernel;
	int error = 0;

	while (more && !error)
		error = history_walk_live(&audit->history, keep_last, audit, &more);
	if (!error && audit->last_count < audit->limit)
		error = history_walk_tail(&audit->history, audit->limit - audit->last_count, print_item, audit);
	if (!error)
		error = print_last(audit);
	audit->limit = SIZE_MAX; /* with --follow, all that come later are printed */
	return error;
}

/* ---------------------------------------------------------------------------------------------
 * From the past to what comes
 */

static enum status keep_place(struct audit *audit)
{
	if (!memcmp(&audit->history.at, &audit->kept, sizeof(audit->kept)))
		return STATUS_DONE;
	audit->kept = audit->history.at;
	return checkpoint_write(audit->checkpoint, audit->filter.verdicts, &audit->kept);
}

static bool is_over(const struct audit *audit)
{
	return interrupted || (audit->filter.has_until && when_now().boot > audit->filter.until);
}

static enum status cannot_print(int error)
{
	return fail(STATUS_FAILED, "can't print the events: %s", strerror(-error));
}

/* Prints the events that are in the kernel, and with --follow those that come. Returns STATUS_DONE also when it was interrupted. */
static enum status print_live(struct audit *audit)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	int64_t kept = when_now().boot;
	uint64_t last_look = UINT64_MAX; /* it ends after this look */

	for (;;) {
		bool unloaded = audit->follow && kernel_instance() != audit->history.live.instance, more = false, over;
		int error;

		/* Decided before the last look at the events, so that it misses none. */
		if (last_look == UINT64_MAX && (!audit->follow || unloaded || is_over(audit)))
			last_look = audit->history.reader.looks + 1;
		error = history_walk_live(&audit->history, print_item, audit, &more);
		over = (audit->history.reader.looks >= last_look && !more) || error == ENOUGH;
		if (error >= 0)
			error = output_flush(&audit->output);
		if (error)
			return cannot_print(error);
		if (audit->checkpoint && (over || when_now().boot - kept >= CHECKPOINT_NS)) {
			TRY(keep_place(audit));
			kept = when_now().boot;
		}
		if (over && unloaded)
			return fail(STATUS_NOT_LOADED, "unloaded meanwhile: no further events come; to follow a new load, "
						       "run it again");
		if (over)
			return STATUS_DONE;
		if (!more)
			nanosleep(&pause, NULL);
	}
}

/* Ends after the log, where no kernel side can be read: as it was refused, or as nothing is loaded. */
static enum status end_of_log(const struct audit *audit)
{
	if (audit->history.without != STATUS_NOT_LOADED)
		return audit->history.without;
	return fail(STATUS_NOT_LOADED, "not loaded: the log ends here; load a policy: sockaccept-ctl load [FILE]");
}

static enum status print_events(struct audit *audit)
{
	bool last = audit->limit != SIZE_MAX && !audit->checkpoint;
	int error = last ? print_tail(audit) : history_walk_log(&audit->history, audit->filter.since, print_item, audit);
	int flushed = output_flush(&audit->output);

	if (error < 0 || flushed)
		return cannot_print(error < 0 ? error : flushed);
	if (audit->checkpoint && (error == ENOUGH || !audit->history.kernel))
		TRY(keep_place(audit));
	if (audit->checkpoint && error == ENOUGH)
		return STATUS_DONE;
	if (!audit->history.kernel)
		return end_of_log(audit);
	return last && !audit->follow ? STATUS_DONE : print_live(audit);
}

/* ---------------------------------------------------------------------------------------------
 * Options
 */

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
	audit->checkpoint = invocation->given[OPTION_CHECKPOINT];
	audit->follow = invocation->given[OPTION_FOLLOW];
	TRY(read_limit(audit, invocation->given[OPTION_LIMIT]));
	return filter_options_read(&audit->filter, invocation);
}

static void catch_signals(void)
{
	/* A line that is being written is written whole. A second signal ends the process at once. */
	struct sigaction action = { .sa_handler = interrupt, .sa_flags = SA_RESTART | (int)SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* Reads the checkpoint and goes on there. */
static enum status start_at_checkpoint(struct audit *audit)
{
	TRY(checkpoint_read(audit->checkpoint, audit->filter.verdicts, &audit->kept));
	/* Write it at once: if that fails, the next run would print again what this one prints. */
	TRY(checkpoint_write(audit->checkpoint, audit->filter.verdicts, &audit->kept));
	return history_continue(&audit->history, &audit->kept);
}

static enum status start(struct audit *audit, const struct invocation *invocation)
{
	if (audit->checkpoint)
		TRY(start_at_checkpoint(audit));
	output_start(&audit->output, stdout, invocation->given[OPTION_JSON]);
	event_start(&audit->printer, &audit->output, invocation->given[OPTION_UTC]);
	if (audit->follow)
		catch_signals();
	return STATUS_DONE;
}

static void clear(struct audit *audit)
{
	free(audit->last);
	history_close(&audit->history);
	filter_clear(&audit->filter);
}

enum status verb_audit(const struct invocation *invocation)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	__attribute__((cleanup(clear))) struct audit audit = { 0 };

	TRY(read_options(&audit, invocation));
	TRY(history_open(&audit.history, &audit.filter, &kernel, invocation->given[OPTION_LOG]));
	TRY(start(&audit, invocation));
	return print_events(&audit);
}
