/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report: adds up who was denied and who accepted most in a period, and which binaries came to ports where they weren't before.
 */
#include <arpa/inet.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "enforce/base/escape.h"
#include "enforce/base/output.h"
#include "enforce/kernel/family.h"
#include "enforce/records/event.h"
#include "enforce/verbs/filter_options.h"
#include "enforce/verbs/report.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"
#include "policy/text.h"

#define DAY_NS (86400 * 1000000000LL)
#define DEFAULT_TOP 10

/* ---------------------------------------------------------------------------------------------
 * Adding up
 */

static void add(struct report *report, enum kind kind, const char *text, const struct record *record, int64_t real)
{
	if (text)
		sums_add(&report->sums[kind], text, record->event->verdict, record->event->count, real);
}

/* An event of several repeats without a common peer has several peers. */
static const char *peer_text(const struct event *event, char *text)
{
	if (event->flags & EVENT_HAS_PEER)
		return address_text(event->family, &event->peer, text);
	return event->count > 1 && event->operation == OPERATION_ACCEPT ? "several" : NULL;
}

static const char *binary_text(const struct record *record)
{
	if (record->event->differ & DIFFER_BINARY)
		return "several";
	return record->binary ? record->binary : "not known";
}

static const char *rule_of(const struct record *record)
{
	if (record->event->differ & DIFFER_RULE)
		return "several";
	return record->rule ? record->rule : event_reason_words[record->event->reason];
}

/* Returns a text such as `"/usr/sbin/nginx" 80`, with the path as JSON has it, to be freed; NULL if there is no such pair. */
static char *pair_text(const struct record *record)
{
	const struct event *event = record->event;
	char *text = NULL;
	size_t length = 0;
	FILE *stream;

	if (!record->binary || !event_is_about_listener(event) || event->differ & DIFFER_PORT || !family_has_ports(event->family))
		return NULL;
	stream = must(open_memstream(&text, &length));
	escape_print_json(stream, record->binary);
	fprintf(stream, " %u", event->listener_port);
	fclose(stream);
	return must(text);
}

static void add_pair(struct report *report, const struct record *record, bool before, int64_t real)
{
	_cleanup_free_ char *text = pair_text(record);

	if (text)
		sums_add(before ? &report->before : &report->pairs, text, record->event->verdict, record->event->count, real);
}

static bool is_in_period(const struct report *report, int64_t boot)
{
	return boot >= report->since && (!report->has_until || boot <= report->until);
}

static int add_item(void *context, const struct history_item *item)
{
	struct report *report = context;
	const struct record *record = item->record;
	char port[EVENT_PORT_MAX], peer[ADDRESS_TEXT_MAX];
	int64_t boot = record ? (int64_t)record->event->time_boot : 0, real;

	if (!record) {
		if (is_in_period(report, item->boot))
			report->missed += item->missed;
		return 0;
	}
	real = event_real(record->event);
	if (boot < report->since)
		add_pair(report, record, true, real);
	if (!is_in_period(report, boot))
		return 0;
	report->count[record->event->verdict] += record->event->count;
	add(report, KIND_BINARY, binary_text(record), record, real);
	add(report, KIND_PORT, event_is_about_listener(record->event) ? event_port(record->event, port) : NULL, record, real);
	add(report, KIND_PEER, peer_text(record->event, peer), record, real);
	add(report, KIND_RULE, rule_of(record), record, real);
	add_pair(report, record, false, real);
	return 0;
}

/* Adds up the pairs in the log before the period. Nothing else matters in those lines. */
static int read_before(struct report *report)
{
	struct log_reader *log = &report->history.log;
	const char *line, *binary;
	size_t file, length, binary_length;
	off_t offset;
	unsigned port;
	int error = log_seek_time(log, report->since);

	log_tell(log, &file, &offset);
	log_rewind(log);
	while (!error && !log_is_at(log, file, offset)) {
		error = log_next(log, &line, &length);
		if (!error && line && log_line_find_pair(line, length, &binary, &binary_length, &port)) {
			_cleanup_free_ char *text = text_format("%.*s %u", (int)binary_length, binary, port);

			sums_add(&report->before, text, VERDICT_ALLOW, 1, 0);
		}
	}
	return error;
}

static enum status read_all(struct report *report)
{
	bool more = report->history.kernel;
	int error = read_before(report);

	if (!error)
		error = history_walk_log(&report->history, report->since, add_item, report);
	while (more && !error)
		error = history_walk_live(&report->history, add_item, report, &more);
	return error ? fail(STATUS_FAILED, "can't read the events: %s", strerror(-error)) : STATUS_DONE;
}

/* ---------------------------------------------------------------------------------------------
 * The verb
 */

static enum status read_options(struct report *report, const struct invocation *invocation)
{
	const char *top = invocation->given[OPTION_TOP];

	TRY(filter_options_read(&report->filter, invocation));
	report->top = top ? strtoul(top, NULL, 10) : DEFAULT_TOP;
	if (top && (strspn(top, "0123456789") != strlen(top) || strlen(top) > 6 || !report->top))
		return fail(STATUS_USAGE, "--top '%s': write a number of lines from 1 to 999999", top);
	report->since = invocation->given[OPTION_SINCE] ? report->filter.since : when_now().boot - DAY_NS;
	report->has_until = report->filter.has_until;
	report->until = report->filter.until;
	if (report->has_until && report->until < report->since)
		report->since = report->until - DAY_NS; /* by default the report is about a day */
	report->filter.since = INT64_MIN;
	report->filter.has_until = false;
	report->filter.verdicts = TAKES(VERDICT_ALLOW) | TAKES(VERDICT_DENY);
	return STATUS_DONE;
}

static void clear(struct report *report)
{
	for (int kind = 0; kind < KINDS; kind++)
		sums_clear(&report->sums[kind]);
	sums_clear(&report->before);
	sums_clear(&report->pairs);
	history_close(&report->history);
	filter_clear(&report->filter);
}

enum status verb_report(const struct invocation *invocation)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	__attribute__((cleanup(clear))) struct report report = { 0 };

	TRY(read_options(&report, invocation));
	TRY(history_open(&report.history, &report.filter, &kernel, invocation->given[OPTION_LOG]));
	TRY(read_all(&report));
	setlocale(LC_CTYPE, "");
	report.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	output_start(&report.output, stdout, invocation->given[OPTION_JSON]);
	report_print(&report);
	return STATUS_DONE;
}
