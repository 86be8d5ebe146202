/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints the report: a table with bars for each kind, and the binaries that are new on a port.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/base/escape.h"
#include "enforce/base/when.h"
#include "enforce/verbs/report.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/text.h"

static const struct {
	const char *key; /* in JSON: of a table, and of a line in it */
	const char *item;
	const char *label;
} kinds[KINDS] = { [KIND_BINARY] = { "binaries", "binary", "BINARY" },
		   [KIND_PORT] = { "ports", "port", "PORT" },
		   [KIND_PEER] = { "peers", "peer", "PEER" },
		   [KIND_RULE] = { "rules", "rule", "RULE" } };

#define BAR_COLUMNS 24
#define NAME_COLUMNS 42 /* beside a count and a bar in 80 */

#define BLOCK_BYTES 3 /* of each block element in UTF-8 */

/* Writes a bar as long as `count` of `most` into `text` and returns it; exact to an eighth of a column where the terminal can show that. */
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

/* Returns `text`, to be freed, cut to what fits beside a bar: the end of a path says most. */
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

/* Prints the first lines of a table, and what found no place in it. */
static void print_kind(struct report *report, enum kind kind, unsigned verdict)
{
	struct sums *sums = &report->sums[kind];
	const struct sum others = { .text = (char[]){ "(others, too many to keep apart)" }, .count = { sums->others[0], sums->others[1] } };
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

/* Prints the binaries on ports where they were never seen before the period. On an ordinary day there are none. */
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
	       when_short(until + set, report->filter.utc, to), report->filter.utc ? " UTC" : "", report->count[VERDICT_DENY],
	       report->count[VERDICT_ALLOW]);
	if (report->missed)
		printf(", %" PRIu64 " events missed", report->missed);
	puts("");
}

void report_print(struct report *report)
{
	output_open_object(&report->output, NULL);
	print_period(report);
	print_verdict(report, VERDICT_DENY);
	print_verdict(report, VERDICT_ALLOW);
	print_pairs(report);
	output_close(&report->output);
	output_end(&report->output);
}
