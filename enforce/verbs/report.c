/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report: who was denied and who accepted most over a period, and which binaries came to ports where they weren't
 * before.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "enforce/base/escape.h"
#include "enforce/base/output.h"
#include "enforce/records/event.h"
#include "enforce/records/history.h"
#include "enforce/records/sums.h"
#include "enforce/verbs/filter_options.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/text.h"

#define DAY_NS (86400 * 1000000000LL)
#define DEFAULT_TOP 10

enum kind { KIND_BINARY, KIND_PORT, KIND_PEER, KIND_RULE, KINDS };

static const struct {
	const char *key;   /* in JSON: of a table, and of a line in it */
	const char *item;
	const char *label;
} kinds[KINDS] = { [KIND_BINARY] = { "binaries", "binary", "BINARY" },
		   [KIND_PORT] = { "ports", "port", "PORT" },
		   [KIND_PEER] = { "peers", "peer", "PEER" },
		   [KIND_RULE] = { "rules", "rule", "RULE" } };

struct report {
	struct filter filter; /* for whatever time: lines from before the period tell what isn't new */
	int64_t since, until;
	bool has_until;
	size_t top;
	struct history history;
	struct sums sums[KINDS];
	struct sums before, pairs; /* (binary, port), before the period and in it */
	uint64_t count[VERDICTS];
	uint64_t missed;
	struct output output;
	bool utf8;
};

/* ---------------------------------------------------------------------------------------------
 * Adding up
 */

static void add(struct report *report, enum kind kind, const char *text, const struct record *record, int64_t real)
{
	if (text)
		sums_add(&report->sums[kind], text, record->event->verdict, record->event->count, real);
}

/* Repeats that know no common peer have several. */
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

/* `"/usr/sbin/nginx" 80`: the path as it stands in JSON. */
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

/* The pairs in the log up to where the period begins: of those lines nothing else matters. */
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
 * Printing
 */

#define BAR_COLUMNS 24
#define NAME_COLUMNS 42 /* beside a count and a bar in 80 */

#define BLOCK_BYTES 3 /* of each block element in UTF-8 */

/* As long as `count` of `most`, to an eighth of a column where the terminal can show that. */
static const char *bar_text(const struct report *report, uint64_t count, uint64_t most, char *text)
{
	static const char full[] = "\u2588";
	static const char *const eighths[] = { "", "\u258f", "\u258e", "\u258d", "\u258c", "\u258b", "\u258a", "\u2589" };
	uint64_t units = count >= most ? BAR_COLUMNS * 8 : most ? (uint64_t)((double)count / (double)most * BAR_COLUMNS * 8 + 0.5) : 0;
	size_t whole = units / 8;

	if (!report->utf8) {
		memset(text, '#', (size_t)(units + 7) / 8);
		text[(units + 7) / 8] = '\0';
		return text;
	}
	if (!units && count)
		units = 1;
	for (size_t i = 0; i < whole; i++)
		memcpy(text + i * BLOCK_BYTES, full, BLOCK_BYTES);
	snprintf(text + whole * BLOCK_BYTES, BLOCK_BYTES + 1, "%s", eighths[units % 8]);
	return text;
}

/* What is too long for a terminal is cut: of a path the end says most. */
static char *cut_text(const struct report *report, const char *text)
{
	if (!report->output.width || escape_width(text) <= NAME_COLUMNS)
		return must(strdup(text));
	do
		text++;
	while (escape_width(text) + 3 > NAME_COLUMNS || (*text & 0xc0) == 0x80);
	return text_format("...%s", text);
}

static void print_sum(struct report *report, enum kind kind, unsigned verdict, const struct sum *sum, uint64_t most)
{
	struct output *output = &report->output;
	_cleanup_free_ char *name = cut_text(report, sum->text);
	char bar[BLOCK_BYTES * (BAR_COLUMNS + 1) + 1];

	output_open_object(output, NULL);
	output_text(output, kinds[kind].item, NULL, sum->text);
	output_number(output, "count", verdict == VERDICT_DENY ? "DENIED" : "ACCEPTED", sum->count[verdict]);
	if (output->width)
		output_coloured(output, NULL, "", bar_text(report, sum->count[verdict], most, bar),
				verdict == VERDICT_DENY ? COLOUR_BAD : COLOUR_GOOD);
	output_text(output, NULL, kinds[kind].label, name);
	output_close(output);
}

/* The first ones of a table, and what found no place in it. */
static void print_kind(struct report *report, enum kind kind, unsigned verdict)
{
	struct sums *sums = &report->sums[kind];
	const struct sum others = { .text = (char[]){ "(others, too many to keep apart)" },
				    .count = { sums->others[0], sums->others[1] } };
	struct output *output = &report->output;
	uint64_t most;

	sums_sort(sums, verdict);
	most = sums->count ? sums->list[0]->count[verdict] : 0;
	if (most < others.count[verdict])
		most = others.count[verdict];
	output_open_table(output, kinds[kind].key);
	for (size_t i = 0; i < sums->count && i < report->top && sums->list[i]->count[verdict]; i++)
		print_sum(report, kind, verdict, sums->list[i], most);
	if (others.count[verdict])
		print_sum(report, kind, verdict, &others, most);
	output_close(output);
}

static void print_verdict(struct report *report, unsigned verdict)
{
	output_open_object(&report->output, ini_verdict_words[verdict == VERDICT_DENY]);
	for (int kind = 0; kind < KINDS && (report->count[verdict] || report->output.json); kind++) {
		if (!report->output.json)
			puts("");
		print_kind(report, (enum kind)kind, verdict);
	}
	output_close(&report->output);
}

static void print_pair(struct report *report, const struct sum *pair)
{
	struct output *output = &report->output;
	const char *port = strrchr(pair->text, ' ') + 1;
	json_t *path = json_loadb(pair->text, (size_t)(port - 1 - pair->text), JSON_DECODE_ANY, NULL);
	_cleanup_free_ char *name = cut_text(report, json_string_value(path) ? json_string_value(path) : "?");
	char time[WHEN_TEXT_MAX];

	output_open_object(output, NULL);
	output_text(output, "time", NULL, when_exact(pair->first, time));
	output_text(output, NULL, "FIRST SEEN", when_short(pair->first, report->filter.utc, time));
	output_text(output, "binary", NULL, json_string_value(path));
	output_number(output, "port", "PORT", strtoul(port, NULL, 10));
	output_number(output, "deny", "DENIED", pair->count[VERDICT_DENY]);
	output_number(output, "allow", "ACCEPTED", pair->count[VERDICT_ALLOW]);
	output_text(output, NULL, "BINARY", name);
	output_close(output);
	json_decref(path);
}

/* Binaries on ports where they were never seen before the period: on an ordinary day there are none. */
static void print_pairs(struct report *report)
{
	struct output *output = &report->output;
	const struct sums *before = &report->before;
	size_t shown = 0;

	sums_sort_by_first(&report->pairs);
	if (!output->json)
		puts("");
	output_open_table(output, "new");
	for (size_t i = 0; i < report->pairs.count && (shown < report->top || output->json); i++) {
		if (sums_find(before, report->pairs.list[i]->text))
			continue;
		print_pair(report, report->pairs.list[i]);
		shown++;
	}
	output_close(output);
	if (!shown && !output->json)
		puts("No binary on a port where it wasn't seen before.");
	if (before->others[VERDICT_ALLOW] && !output->json)
		puts("(Before, there were more binaries and ports than can be told apart.)");
}

static void print_period(struct report *report)
{
	const struct history *history = &report->history;
	struct output *output = &report->output;
	int64_t set = history->log.now.real - history->log.now.boot;
	int64_t until = report->has_until ? report->until : history->log.now.boot;
	char from[WHEN_TEXT_MAX], to[WHEN_TEXT_MAX];

	output_number(output, "schema", NULL, 1);
	output_text(output, "since", NULL, when_exact(report->since + set, from));
	output_text(output, "until", NULL, when_exact(until + set, to));
	output_number(output, "denied", NULL, report->count[VERDICT_DENY]);
	output_number(output, "accepted", NULL, report->count[VERDICT_ALLOW]);
	output_number(output, "missed", NULL, report->missed);
	if (output->json)
		return;
	printf("%s to %s%s: %" PRIu64 " denied, %" PRIu64 " accepted", when_short(report->since + set, report->filter.utc, from),
	       when_short(until + set, report->filter.utc, to), report->filter.utc ? " UTC" : "",
	       report->count[VERDICT_DENY], report->count[VERDICT_ALLOW]);
	if (report->missed)
		printf(", %" PRIu64 " events missed", report->missed);
	puts("");
}

static void print_report(struct report *report)
{
	output_open_object(&report->output, NULL);
	print_period(report);
	print_verdict(report, VERDICT_DENY);
	print_verdict(report, VERDICT_ALLOW);
	print_pairs(report);
	output_close(&report->output);
	output_end(&report->output);
}

/* ---------------------------------------------------------------------------------------------
 * The verb
 */

static enum status read_options(struct report *report, const struct invocation *invocation)
{
	const char *top = invocation->given[OPTION_TOP];
	enum status status = filter_options_read(&report->filter, invocation);

	if (status != STATUS_DONE)
		return status;
	report->top = top ? strtoul(top, NULL, 10) : DEFAULT_TOP;
	if (top && (strspn(top, "0123456789") != strlen(top) || strlen(top) > 6 || !report->top))
		return fail(STATUS_USAGE, "--top '%s': write a number of lines from 1 to 999999", top);
	report->since = invocation->given[OPTION_SINCE] ? report->filter.since : when_now().boot - DAY_NS;
	report->has_until = report->filter.has_until;
	report->until = report->filter.until;
	if (report->has_until && report->until < report->since)
		report->since = report->until - DAY_NS; /* a day is reported on, unless --since says otherwise */
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
	struct report report = { 0 };
	enum status status = read_options(&report, invocation);

	if (status == STATUS_DONE)
		status = history_open(&report.history, &report.filter, &kernel, invocation->given[OPTION_LOG]);
	if (status == STATUS_DONE)
		status = read_all(&report);
	if (status == STATUS_DONE) {
		setlocale(LC_CTYPE, "");
		report.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
		output_start(&report.output, stdout, invocation->given[OPTION_JSON]);
		print_report(&report);
	}
	clear(&report);
	return status;
}
