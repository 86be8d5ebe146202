/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * list: prints the live rules with their hits, or the counters by binary, port and verdict.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/shared/port_table.h"
#include "enforce/base/output.h"
#include "enforce/base/when.h"
#include "enforce/kernel/entries.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/live.h"
#include "enforce/kernel/ports.h"
#include "enforce/kernel/waiting.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/port.h"

static enum colour verdict_colour(unsigned verdict)
{
	return verdict == VERDICT_DENY ? COLOUR_BAD : COLOUR_GOOD;
}

static struct rule_counter counter_of(const struct kernel *kernel, const struct rule *rule)
{
	struct rule_counter counter = { 0 };

	bpf_map_lookup_elem(kernel->fd[MAP_RULE_COUNTERS], &rule->counter, &counter);
	return counter;
}

static bool any_user(const struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].has_uid)
			return true;
	return false;
}

/* Prints when the rule decided last, by the clock as it is set now. */
static void print_last_hit(struct output *output, const struct rule_counter *counter)
{
	struct when_now now = when_now();
	int64_t real = now.real - (now.boot - (int64_t)counter->last);
	char text[WHEN_TEXT_MAX];

	output_text(output, "last_hit", NULL, counter->hits ? when_exact(real, text) : NULL);
	output_text(output, NULL, "LAST HIT", counter->hits ? when_short(real, false, text) : NULL);
}

/* Prints how long a temporary rule will last. */
static void print_end(struct output *output, const struct rule *rule)
{
	char text[LENGTH_TEXT_MAX];
	uint64_t now = (uint64_t)when_now().boot;

	output_text(output, NULL, "FOR", rule->until ? when_length(rule->until > now ? rule->until - now : 0, text) : NULL);
	if (rule->until)
		output_number(output, "until_boottime_ns", NULL, rule->until);
}

struct rule_printer {
	struct output *output;
	const struct kernel *kernel;
	const struct policy *policy;
	struct waiting waiting;
	bool *waits; /* by binary */
	bool users, last_hit;
};

static bool rule_waits(const struct rule_printer *printer, const struct rule *rule)
{
	return printer->waits[rule->binary] || rule->unknown_user;
}

static void print_rule(const struct rule_printer *printer, const struct rule *rule)
{
	const struct policy *policy = printer->policy;
	struct output *output = printer->output;
	struct rule_counter counter = counter_of(printer->kernel, rule);
	const char *unknown = rule_unknown_user(policy, rule);
	char port[PORT_TEXT_MAX], uid[16];

	snprintf(uid, sizeof(uid), "%u", rule->uid);
	output_open_object(output, NULL);
	output_text(output, "section", "SECTION", rule->section);
	output_text(output, "binary", "BINARY", policy->binaries[rule->binary].path);
	if (printer->users)
		output_text(output, NULL, "USER", unknown ?: rule->has_uid ? uid : "any");
	output_coloured(output, "verdict", "VERDICT", ini_verdict_words[rule->verdict], verdict_colour(rule->verdict));
	output_text(output, "ports", "PORTS", port_format(&rule->port, port));
	if (policy->rules[0].until) /* they come first */
		print_end(output, rule);
	output_number(output, "hits", "HITS", counter.hits);
	if (printer->last_hit)
		print_last_hit(output, &counter);
	if (printer->waiting.count)
		output_text(output, NULL, "WAITS", rule_waits(printer, rule) ? "waits" : NULL);
	output_flag(output, "waits", NULL, rule_waits(printer, rule));
	if (unknown)
		output_text(output, "unknown_user", NULL, unknown);
	else if (rule->has_uid)
		output_number(output, "uid", NULL, rule->uid);
	output_text(output, "file", NULL, policy->binaries[rule->binary].resolved);
	output_close(output);
}

/* A path that is a symbolic link stands for what it pointed to when its rule was made. The log has that file. */
static void print_links(struct output *output, const struct policy *policy)
{
	for (size_t i = 0; i < policy->binary_count; i++) {
		const struct binary *binary = &policy->binaries[i];

		if (!binary->resolved || !strcmp(binary->path, binary->resolved))
			continue;
		output_paint(output, binary->path, COLOUR_NONE);
		fputs(" stands for ", output->stream);
		output_paint(output, binary->resolved, COLOUR_NONE);
		fputc('\n', output->stream);
	}
}

static void print_waiting(const struct rule_printer *printer)
{
	const struct waiting *waiting = &printer->waiting;

	for (size_t i = 0; i < waiting->count && i < WAITING_SHOWN; i++) {
		output_paint(printer->output, printer->policy->binaries[waiting->list[i].binary].path, COLOUR_NONE);
		fputs(" waits: ", printer->output->stream);
		output_paint(printer->output, waiting->list[i].why, COLOUR_NONE);
		fputc('\n', printer->output->stream);
	}
	if (waiting->count > WAITING_SHOWN)
		fprintf(printer->output->stream, "%zu more wait; see: sockaccept-ctl status --json\n", waiting->count - WAITING_SHOWN);
}

static enum status list_rules(struct output *output, const struct kernel *kernel, bool last_hit)
{
	struct rule_printer printer = { .output = output, .kernel = kernel, .last_hit = last_hit };
	_cleanup_policy_ struct policy policy = POLICY_INIT;

	TRY(live_read(kernel, &policy));
	printer.policy = &policy;
	printer.users = any_user(&policy);
	waiting_find(&policy, NULL, &printer.waiting);
	printer.waits = waiting_binaries(&policy, &printer.waiting);
	output_open_object(output, NULL);
	output_number(output, "schema", NULL, 1);
	output_open_table(output, "rules");
	for (size_t i = 0; i < policy.rule_count; i++)
		print_rule(&printer, &policy.rules[i]);
	output_close(output);
	output_close(output);
	if (!output->json) {
		printf("%s%zu rule%s; where none matches: %s\n", policy.rule_count ? "\n" : "", policy.rule_count,
		       policy.rule_count == 1 ? "" : "s", ini_verdict_words[policy.verdict]);
		print_links(output, &policy);
		print_waiting(&printer);
	}
	free(printer.waits);
	waiting_clear(&printer.waiting);
	output_end(output);
	return STATUS_DONE;
}

/* Returns the path of a binary that has counters, to be freed; NULL if it isn't known. */
static char *path_of(const struct kernel *kernel, uint32_t binary)
{
	struct kept_path seen;
	char *path;

	if (!(binary & BINARY_UNNAMED))
		return identified_path(kernel, binary);
	if (bpf_map_lookup_elem(kernel->fd[MAP_SEEN_PATHS], &binary, &seen) || !seen.path.length)
		return NULL;
	path = calloc(1, sizeof(seen.path.path) + 1);
	if (path)
		memcpy(path, seen.path.path, sizeof(seen.path.path));
	return path;
}

struct port_printer {
	struct output *output;
	const struct kernel *kernel;
};

/* `port` is NULL for decisions that found no place among the counters by port. */
static void print_tally(struct port_printer *printer, uint32_t binary, const uint32_t *port, unsigned verdict, const struct tally *tally)
{
	struct output *output = printer->output;
	_cleanup_free_ char *path = path_of(printer->kernel, binary);

	output_open_object(output, NULL);
	output_text(output, "binary", "BINARY", path ? path : binary == BINARY_ANY && !output->json ? "others" : NULL);
	if (port) {
		output_number(output, "port", "PORT", *port);
	} else {
		output_null(output, "port");
		output_text(output, NULL, "PORT", "other");
	}
	output_coloured(output, "verdict", "VERDICT", ini_verdict_words[verdict], verdict_colour(verdict));
	output_number(output, "connections", "CONNECTIONS", tally->connections);
	output_number(output, "attempts", "ATTEMPTS", tally_attempts(tally));
	output_close(output);
}

/* The counters, sorted by key: by binary (those that rules name first), port and verdict. */
struct port_list {
	struct port_line {
		uint64_t key;
		struct tally tally;
	} * lines;
	size_t count, room;
};

static void keep_port(uint64_t key, const struct tally *tally, void *context)
{
	struct port_list *list = context;

	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 64;
		list->lines = must(reallocarray(list->lines, list->room, sizeof(*list->lines)));
	}
	list->lines[list->count++] = (struct port_line){ key, *tally };
}

static int compare_ports(const void *a, const void *b)
{
	uint64_t first = ((const struct port_line *)a)->key, second = ((const struct port_line *)b)->key;

	return (first > second) - (first < second);
}

static int print_ports(struct port_printer *printer)
{
	struct port_list list = { 0 };
	int error = ports_walk(printer->kernel, keep_port, &list);

	if (list.count)
		qsort(list.lines, list.count, sizeof(*list.lines), compare_ports);
	for (size_t i = 0; i < list.count && !error; i++) {
		uint64_t key = list.lines[i].key;
		uint32_t port = port_key_port(key);

		print_tally(printer, port_key_binary(key), &port, port_key_verdict(key), &list.lines[i].tally);
	}
	free(list.lines);
	return error;
}

/* Prints, for each binary, what found no place in the full table. */
static int print_others(struct port_printer *printer)
{
	/* When the policy is locked, nobody can read how many there are. */
	uint32_t binaries = printer->kernel->control ? (uint32_t)printer->kernel->control->next_binary : MAX_BINARIES;

	for (uint32_t i = 0; i < binaries && i < MAX_BINARIES; i++) {
		struct binary_counter other;

		if (bpf_map_lookup_elem(printer->kernel->fd[MAP_OTHER_PORTS], &i, &other))
			return -errno;
		for (unsigned verdict = 0; verdict < VERDICTS; verdict++)
			if (other.verdict[verdict].decisions)
				print_tally(printer, i, NULL, verdict, &other.verdict[verdict]);
	}
	return 0;
}

static enum status list_ports(struct output *output, const struct kernel *kernel)
{
	struct port_printer printer = { .output = output, .kernel = kernel };
	int error;

	output_open_object(output, NULL);
	output_number(output, "schema", NULL, 1);
	output_open_table(output, "ports");
	error = print_ports(&printer);
	if (!error)
		error = print_others(&printer);
	output_close(output);
	output_close(output);
	if (error)
		return fail(STATUS_FAILED, "can't read the counters: %s", strerror(-error));
	output_end(output);
	return STATUS_DONE;
}

enum status verb_list(const struct invocation *invocation)
{
	bool hits = invocation->given[OPTION_HITS], ports = invocation->given[OPTION_PORTS];
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	struct output output;

	if (hits && ports)
		return fail(STATUS_USAGE, "--hits is about rules, --ports about ports; give one of them");
	TRY(kernel_open(&kernel, false, false));
	output_start(&output, stdout, invocation->given[OPTION_JSON]);
	return ports ? list_ports(&output, &kernel) : list_rules(&output, &kernel, hits);
}
