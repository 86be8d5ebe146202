/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Holds a policy: its settings, binaries, users and rules.
 */
#include "policy/policy.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/shared/event.h"
#include "policy/cleanup.h"
#include "policy/grow.h"
#include "policy/port.h"

void policy_init(struct policy *policy)
{
	*policy = (struct policy)POLICY_INIT;
}

uint32_t policy_flags(const struct policy *policy)
{
	uint32_t flags = 0;

	for (unsigned i = 0; i < SWITCHES; i++)
		flags |= (uint32_t)(policy->switches[i] == ANSWER_YES) << i;
	return flags;
}

void policy_set_flags(struct policy *policy, uint32_t flags)
{
	for (unsigned i = 0; i < SWITCHES; i++)
		policy->switches[i] = flags & 1U << i ? ANSWER_YES : ANSWER_NO;
}

/* A node of binary_index. `path` belongs to the binary. */
struct index_node {
	const char *path;
	size_t binary;
};

static int compare_nodes(const void *a, const void *b)
{
	return strcmp(((const struct index_node *)a)->path, ((const struct index_node *)b)->path);
}

static void free_binary(struct binary *binary)
{
	free(binary->path);
	free(binary->resolved);
	free(binary->file);
}

void policy_clear(struct policy *policy)
{
	tdestroy(policy->binary_index, free);
	for (size_t i = 0; i < policy->binary_count; i++)
		free_binary(&policy->binaries[i]);
	for (size_t i = 0; i < policy->unknown_user_count; i++)
		free(policy->unknown_users[i]);
	for (size_t i = 0; i < policy->file_count; i++)
		free(policy->files[i]);
	free(policy->unknown_users);
	free(policy->origins);
	free(policy->files);
	free(policy->binaries);
	free(policy->rules);
	policy_init(policy);
}

static void index_binary(struct policy *policy, size_t binary)
{
	struct index_node *node = must(malloc(sizeof(*node)));

	*node = (struct index_node){ policy->binaries[binary].path, binary };
	must(tsearch(node, &policy->binary_index, compare_nodes));
}

size_t policy_binary(struct policy *policy, const char *path)
{
	const struct index_node wanted = { .path = path };
	struct index_node **found = tfind(&wanted, &policy->binary_index, compare_nodes);

	if (found)
		return (*found)->binary;
	APPEND(policy->binaries, policy->binary_count, ((struct binary){ .path = must(strdup(path)) }));
	index_binary(policy, policy->binary_count - 1);
	return policy->binary_count - 1;
}

uint32_t policy_unknown_user(struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->unknown_user_count; i++)
		if (!strcmp(policy->unknown_users[i], name))
			return (uint32_t)i + 1;
	APPEND(policy->unknown_users, policy->unknown_user_count, must(strdup(name)));
	return (uint32_t)policy->unknown_user_count;
}

/* Returns the policy's own copy of `file`. Files are read one after the other, so it looks at the last name first. */
static const char *file_name(struct policy *policy, const char *file)
{
	for (size_t i = policy->file_count; i > 0; i--)
		if (!strcmp(policy->files[i - 1], file))
			return policy->files[i - 1];
	APPEND(policy->files, policy->file_count, must(strdup(file)));
	return policy->files[policy->file_count - 1];
}

uint32_t policy_origin(struct policy *policy, const char *file, unsigned line)
{
	const struct origin origin = { file_name(policy, file), line };

	APPEND(policy->origins, policy->origin_count, origin);
	return (uint32_t)policy->origin_count;
}

const struct origin *rule_origin(const struct policy *policy, const struct rule *rule)
{
	return rule->origin ? &policy->origins[rule->origin - 1] : NULL;
}

const char *rule_unknown_user(const struct policy *policy, const struct rule *rule)
{
	return rule->unknown_user ? policy->unknown_users[rule->unknown_user - 1] : NULL;
}

/* Puts binaries in the order of their first rules, and drops those without one. */
static void renumber_binaries(struct policy *policy)
{
	size_t *place = must(calloc(policy->binary_count + 1, sizeof(*place)));
	struct binary *sorted = NULL;
	size_t count = 0;

	for (size_t i = 0; i < policy->rule_count; i++) {
		size_t *binary = &policy->rules[i].binary;

		if (!place[*binary]) {
			APPEND(sorted, count, policy->binaries[*binary]);
			place[*binary] = count;
		}
		*binary = place[*binary] - 1;
	}
	for (size_t i = 0; i < policy->binary_count; i++)
		if (!place[i])
			free_binary(&policy->binaries[i]);
	tdestroy(policy->binary_index, free);
	policy->binary_index = NULL;
	free(policy->binaries);
	free(place);
	policy->binaries = sorted;
	policy->binary_count = count;
	for (size_t i = 0; i < count; i++)
		index_binary(policy, i);
}

/* Does the same with unknown users. */
static void renumber_unknown_users(struct policy *policy)
{
	uint32_t *place = must(calloc(policy->unknown_user_count + 1, sizeof(*place)));
	char **kept = NULL;
	size_t count = 0;

	for (size_t i = 0; i < policy->rule_count; i++) {
		uint32_t *user = &policy->rules[i].unknown_user;

		if (*user && !place[*user - 1]) {
			APPEND(kept, count, policy->unknown_users[*user - 1]);
			place[*user - 1] = (uint32_t)count;
		}
		*user = *user ? place[*user - 1] : 0;
	}
	for (size_t i = 0; i < policy->unknown_user_count; i++)
		if (!place[i])
			free(policy->unknown_users[i]);
	free(policy->unknown_users);
	free(place);
	policy->unknown_users = kept;
	policy->unknown_user_count = count;
}

void policy_renumber(struct policy *policy)
{
	renumber_binaries(policy);
	renumber_unknown_users(policy);
}

void policy_append(struct policy *policy, const struct rule *rule)
{
	APPEND(policy->rules, policy->rule_count, *rule);
}

bool binary_is_any(const struct binary *binary)
{
	return !strcmp(binary->path, "any");
}

const char *binary_identity(const struct binary *binary)
{
	return binary->resolved ? binary->resolved : binary->path;
}

bool policy_same_binary(const struct policy *policy, size_t a, size_t b)
{
	const struct binary *first = &policy->binaries[a], *second = &policy->binaries[b];

	if (first->number != BINARY_ANY && second->number != BINARY_ANY)
		return first->number == second->number;
	return a == b || !strcmp(binary_identity(first), binary_identity(second));
}

bool rule_decides(const struct rule *rule)
{
	return rule->verdict != VERDICT_LISTEN;
}

bool rule_same_request(const struct policy *policy, const struct rule *a, const struct rule *b)
{
	return rule_decides(a) == rule_decides(b) && port_equal(&a->port, &b->port) && a->has_uid == b->has_uid &&
	       (!a->has_uid || a->uid == b->uid) && a->unknown_user == b->unknown_user && policy_same_binary(policy, a->binary, b->binary);
}

unsigned rule_conditions(const struct rule *rule)
{
	return rule->has_uid + (rule->port.protocol != PROTOCOL_ANY);
}

uint32_t rule_rank(const struct rule *rule)
{
	uint32_t width = rule->port.first ? (uint32_t)rule->port.last - rule->port.first + 1 : WIDTH_ANY;

	return RANK(rule_conditions(rule), width, rule->verdict == VERDICT_DENY);
}
