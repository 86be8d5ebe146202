/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * list: the live rules with their hits, or the counters by binary, port and verdict.
 */
#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/kernel.h"
#include "enforce/live.h"
#include "enforce/output.h"
#include "enforce/verb.h"
#include "policy/cleanup.h"
#include "policy/port.h"

static const char *verdict_name(unsigned verdict)
{
	return verdict == VERDICT_DENY ? "deny" : "allow";
}

static enum colour verdict_colour(unsigned verdict)
{
	return verdict == VERDICT_DENY ? COLOUR_BAD : COLOUR_GOOD;
}

static uint64_t hits_of(const struct kernel *kernel, uint32_t counter)
{
	__u64 hits = 0;

	bpf_map_lookup_elem(kernel->fd[MAP_RULE_COUNTERS], &counter, &hits);
	return hits;
}

static bool any_user(const struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].has_uid)
			return true;
	return false;
}

static void print_rule(struct output *output, const struct kernel *kernel, const struct policy *policy,
		       const struct rule *rule, bool users)
{
	char port[PORT_TEXT_MAX], uid[16];

	snprintf(uid, sizeof(uid), "%u", rule->uid);
	output_open_object(output, NULL);
	output_text(output, "section", "SECTION", rule->section);
	output_text(output, "binary", "BINARY", policy->binaries[rule->binary].path);
	if (rule->has_uid)
		output_number(output, "uid", NULL, rule->uid);
	if (users)
		output_text(output, NULL, "USER", rule->has_uid ? uid : "any");
	output_coloured(output, "verdict", "VERDICT", verdict_name(rule->verdict), verdict_colour(rule->verdict));
	output_text(output, "ports", "PORTS", port_format(&rule->port, port));
	output_number(output, "hits", "HITS", hits_of(kernel, rule->counter));
	output_close(output);
}

static enum status list_rules(struct output *output, const struct kernel *kernel)
{
	struct policy policy;
	enum status status;
	bool users;

	policy_init(&policy);
	status = live_read(kernel, &policy);
	if (status != STATUS_DONE)
		return status;
	users = any_user(&policy);
	output_open_object(output, NULL);
	output_number(output, "schema", NULL, 1);
	output_open_table(output, "rules");
	for (size_t i = 0; i < policy.rule_count; i++)
		print_rule(output, kernel, &policy, &policy.rules[i], users);
	output_close(output);
	output_close(output);
	if (!output->json)
		printf("%s%zu rules; where none matches: %s\n", policy.rule_count ? "\n" : "", policy.rule_count,
		       verdict_name(policy.verdict));
	policy_clear(&policy);
	return output_end(output) ? STATUS_FAILED : STATUS_DONE;
}

/* The path of a binary that has decided; to be freed; NULL: not known. */
static char *path_of(const struct kernel *kernel, uint32_t binary)
{
	struct seen_path seen;
	char *path;

	if (!(binary & BINARY_UNNAMED))
		return identified_path(kernel, binary);
	if (bpf_map_lookup_elem(kernel->fd[MAP_SEEN_PATHS], &binary, &seen) || !seen.length)
		return NULL;
	path = calloc(1, sizeof(seen.path) + 1);
	if (path)
		memcpy(path, seen.path, sizeof(seen.path));
	return path;
}

static void print_port(struct output *output, const struct kernel *kernel, const struct port_key *key,
		       const struct tally *tally)
{
	_cleanup_free_ char *path = path_of(kernel, key->binary);

	output_open_object(output, NULL);
	output_text(output, "binary", "BINARY", path);
	output_number(output, "port", "PORT", key->port);
	output_coloured(output, "verdict", "VERDICT", verdict_name(key->verdict), verdict_colour(key->verdict));
	output_number(output, "connections", "CONNECTIONS", tally->connections);
	output_number(output, "attempts", "ATTEMPTS", tally->attempts);
	output_close(output);
}

static void print_ports(struct output *output, const struct kernel *kernel, enum kernel_object map)
{
	struct port_key key, next, *previous = NULL;
	struct tally tally;

	while (!bpf_map_get_next_key(kernel->fd[map], previous, &next)) {
		key = next;
		previous = &key;
		if (bpf_map_lookup_elem(kernel->fd[map], &key, &tally) || !(tally.connections + tally.attempts))
			continue;
		print_port(output, kernel, &key, &tally);
	}
}

static enum status list_ports(struct output *output, const struct kernel *kernel)
{
	output_open_object(output, NULL);
	output_number(output, "schema", NULL, 1);
	output_open_table(output, "ports");
	print_ports(output, kernel, MAP_NAMED_PORTS);
	print_ports(output, kernel, MAP_UNNAMED_PORTS);
	output_close(output);
	output_close(output);
	return output_end(output) ? STATUS_FAILED : STATUS_DONE;
}

enum status verb_list(const struct invocation *invocation)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	enum status status = kernel_open(&kernel, false, false);
	struct output output;

	if (status != STATUS_DONE)
		return status;
	output_start(&output, stdout, invocation->options & OPTION_JSON);
	return invocation->options & OPTION_PORTS ? list_ports(&output, &kernel) : list_rules(&output, &kernel);
}
