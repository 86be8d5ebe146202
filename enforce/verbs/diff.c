/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * diff: prints what the live policy has and the files don't, and the other way round.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/base/output.h"
#include "enforce/base/when.h"
#include "enforce/change/differences.h"
#include "enforce/change/policy_files.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/live.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/port.h"
#include "policy/source.h"

struct printer {
	struct output output;
	size_t differences;
};

static void describe(const struct entry *entry, char *text, size_t size)
{
	const struct rule *rule = entry->rule;
	char port[PORT_TEXT_MAX], length[LENGTH_TEXT_MAX], user[NAME_MAX_BYTES] = "", end[LENGTH_TEXT_MAX + 24] = "";
	const char *unknown = rule_unknown_user(entry->policy, rule);
	uint64_t now = (uint64_t)when_now().boot;

	if (unknown)
		snprintf(user, sizeof(user), " user %.200s", unknown);
	else if (rule->has_uid)
		snprintf(user, sizeof(user), " user %" PRIu32, rule->uid);
	if (rule->until)
		snprintf(end, sizeof(end), ", temporary: for %s", when_length(rule->until > now ? rule->until - now : 0, length));
	snprintf(text, size, "[%s] %s: %s %s%s%s", rule->section, entry->policy->binaries[rule->binary].path,
		 ini_verdict_words[rule->verdict], port_format(&rule->port, port), user, end);
}

static void print_line(struct printer *printer, bool live, const char *text)
{
	char line[512];

	printer->differences++;
	if (printer->output.json)
		return;
	snprintf(line, sizeof(line), "%c %s", live ? '+' : '-', text);
	output_paint(&printer->output, line, live ? COLOUR_GOOD : COLOUR_BAD);
	fputc('\n', printer->output.stream);
}

static void print_rule(struct printer *printer, bool live, const struct entry *entry)
{
	struct output *output = &printer->output;
	const struct rule *rule = entry->rule;
	char text[480], port[PORT_TEXT_MAX];

	describe(entry, text, sizeof(text));
	print_line(printer, live, text);
	if (!output->json)
		return;
	output_open_object(output, NULL);
	output_text(output, "in", NULL, live ? "live" : "files");
	output_text(output, "section", NULL, rule->section);
	output_text(output, "binary", NULL, entry->policy->binaries[rule->binary].path);
	output_text(output, "verdict", NULL, ini_verdict_words[rule->verdict]);
	output_text(output, "ports", NULL, port_format(&rule->port, port));
	if (rule->has_uid && !rule->unknown_user)
		output_number(output, "uid", NULL, rule->uid);
	if (rule->until)
		output_number(output, "until_boottime_ns", NULL, rule->until);
	output_close(output);
}

static void print_setting(struct printer *printer, const char *name, const char *in_files, const char *live)
{
	struct output *output = &printer->output;
	char text[80];

	if (!strcmp(in_files, live))
		return;
	snprintf(text, sizeof(text), "%s = %s", name, in_files);
	print_line(printer, false, text);
	snprintf(text, sizeof(text), "%s = %s", name, live);
	print_line(printer, true, text);
	output_open_object(output, NULL);
	output_text(output, "setting", NULL, name);
	output_text(output, "files", NULL, in_files);
	output_text(output, "live", NULL, live);
	output_close(output);
}

static void print_differences(struct printer *printer, const struct policy *files, const struct policy *live)
{
	_cleanup_free_ struct entry *theirs = entries_sorted(files), *ours = entries_sorted(live);
	size_t i = 0, k = 0;

	print_setting(printer, "mode", ini_mode_words[files->mode], ini_mode_words[live->mode]);
	print_setting(printer, "default", ini_verdict_words[files->verdict], ini_verdict_words[live->verdict]);
	for (unsigned n = 0; n < SWITCHES; n++)
		print_setting(printer, ini_switch_words[n], ini_answer_words[files->switches[n]], ini_answer_words[live->switches[n]]);
	while (i < files->rule_count || k < live->rule_count) {
		int order = i == files->rule_count ? 1 : k == live->rule_count ? -1 : entries_compare(&theirs[i], &ours[k]);

		if (order < 0)
			print_rule(printer, false, &theirs[i]);
		else if (order > 0)
			print_rule(printer, true, &ours[k]);
		i += order <= 0;
		k += order >= 0;
	}
}

static void print_all(const struct invocation *invocation, const struct policy *files, const struct policy *live, bool *same)
{
	const char *path = invocation->arguments[0] ? invocation->arguments[0] : DEFAULT_POLICY_BASE;
	struct printer printer = { .differences = 0 };
	struct output *output = &printer.output;

	output_start(output, stdout, invocation->given[OPTION_JSON]);
	if (!output->json)
		printf("--- %s\n+++ live, generation %" PRIu64 "\n", path, (uint64_t)live->generation);
	output_open_object(output, NULL);
	output_number(output, "schema", NULL, 1);
	output_text(output, "files", NULL, path);
	output_number(output, "generation", NULL, live->generation);
	output_open_array(output, "differences");
	print_differences(&printer, files, live);
	output_close(output);
	output_close(output);
	*same = !printer.differences;
	if (!output->json && *same)
		puts("No difference.");
	output_end(output);
}

enum status verb_diff(const struct invocation *invocation)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	_cleanup_policy_ struct policy files = POLICY_INIT, live = POLICY_INIT;
	bool same = false;

	TRY(kernel_open(&kernel, false, false));
	if (policy_files_read_valid(invocation->arguments[0], READ_FOR_LOAD, false, &files) != STATUS_DONE)
		return fail(STATUS_INVALID, "the policy is invalid");
	policy_normalise(&files); /* as the live one is: what is said twice is one rule */
	TRY(live_read(&kernel, &live));
	print_all(invocation, &files, &live, &same);
	return same ? STATUS_DONE : STATUS_FAILED;
}
