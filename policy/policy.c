/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy in user space: binaries, rules, and what it means to add, replace and remove one.
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
	*policy = (struct policy){ .mode = MODE_ENFORCE, .verdict = VERDICT_ALLOW, .switches = { [0 ... SWITCHES - 1] = ANSWER_YES },
				    .events = DEFAULT_EVENTS };
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

/* A node of binary_index; `path` is the binary's own. */
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

/* Files are read one after the other: the last one's name is nearly always the one that is looked for. */
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

void policy_append(struct policy *policy, const struct rule *rule)
{
	APPEND(policy->rules, policy->rule_count, *rule);
}

/* What a binary is known by until it has a number: two paths that resolve to one entry are one binary. */
static const char *identity(const struct binary *binary)
{
	return binary->resolved ? binary->resolved : binary->path;
}

static bool same_binary(const struct policy *policy, size_t a, size_t b)
{
	const struct binary *first = &policy->binaries[a], *second = &policy->binaries[b];

	if (first->number != BINARY_ANY && second->number != BINARY_ANY)
		return first->number == second->number;
	return a == b || !strcmp(identity(first), identity(second));
}

bool rule_decides(const struct rule *rule)
{
	return rule->verdict != VERDICT_LISTEN;
}

bool rule_same_request(const struct policy *policy, const struct rule *a, const struct rule *b)
{
	return rule_decides(a) == rule_decides(b) && port_equal(&a->port, &b->port) && a->has_uid == b->has_uid &&
	       (!a->has_uid || a->uid == b->uid) && a->unknown_user == b->unknown_user && same_binary(policy, a->binary, b->binary);
}

/* Drops the temporary rules for the request of `rule`. *counter: that of one with the same verdict. Returns how many. */
static size_t drop_temporaries(struct policy *policy, const struct rule *rule, uint32_t *counter)
{
	size_t kept = 0, dropped;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *old = &policy->rules[i];

		if (!old->until || !rule_same_request(policy, old, rule))
			policy->rules[kept++] = *old;
		else if (old->verdict == rule->verdict)
			*counter = old->counter;
	}
	dropped = policy->rule_count - kept;
	policy->rule_count = kept;
	return dropped;
}

static bool replace_lasting(struct policy *policy, const struct rule *rule)
{
	bool changed = true;
	size_t kept = 0;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *old = &policy->rules[i];

		if (rule_same_request(policy, old, rule)) {
			if (old->verdict != rule->verdict)
				continue;
			changed = false;
		}
		policy->rules[kept++] = *old;
	}
	/* One of both verdicts was there: the file said both, and deny decided. */
	if (kept < policy->rule_count) {
		policy->rule_count = kept;
		if (!changed)
			return true;
	}
	if (changed)
		policy_append(policy, rule);
	return changed;
}

bool policy_replace(struct policy *policy, const struct rule *rule)
{
	struct rule fresh = *rule;
	/* The last word counts, also where a temporary rule would beat it. */
	bool dropped = drop_temporaries(policy, rule, &fresh.counter);

	if (!rule->until)
		return replace_lasting(policy, rule) || dropped;
	policy_append(policy, &fresh);
	return true;
}

size_t policy_temporaries(const struct policy *policy)
{
	size_t count = 0;

	while (count < policy->rule_count && policy->rules[count].until)
		count++;
	return count;
}

void policy_drop_ended(struct policy *policy, uint64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < policy->rule_count; i++)
		if (!policy->rules[i].until || policy->rules[i].until > now)
			policy->rules[kept++] = policy->rules[i];
	policy->rule_count = kept;
}

size_t policy_keep_temporaries(struct policy *policy, const struct policy *from)
{
	size_t count = 0;

	for (size_t i = 0; i < from->rule_count; i++) {
		const struct binary *binary = &from->binaries[from->rules[i].binary];
		struct rule rule = from->rules[i];
		struct binary *own;

		if (!rule.until)
			continue;
		if (rule.unknown_user)
			rule.unknown_user = policy_unknown_user(policy, rule_unknown_user(from, &rule));
		rule.binary = policy_binary(policy, binary->path);
		rule.origin = 0; /* an index in `from` */
		own = &policy->binaries[rule.binary];
		if (!own->resolved && own->number == BINARY_ANY) {
			own->number = binary->number;
			own->waits = binary->waits;
			own->resolved = binary->resolved ? must(strdup(binary->resolved)) : NULL;
		}
		policy_append(policy, &rule);
		count++;
	}
	return count;
}

bool removal_is_of_made(enum removal removal)
{
	return removal != REMOVE_EXACT;
}

bool rule_is_removed(const struct policy *policy, const struct rule *rule, size_t binary, const struct port_item *port, const uint32_t *uid,
		     enum removal removal)
{
	if (!rule_decides(rule) || !same_binary(policy, rule->binary, binary) || (port && !port_equal(&rule->port, port)))
		return false;
	if (removal_is_of_made(removal) && strcmp(rule->section, CLI_SECTION) != 0)
		return false;
	if (!uid)
		return removal == REMOVE_MADE || !rule->has_uid;
	return rule->has_uid && rule->uid == *uid;
}

size_t policy_remove(struct policy *policy, size_t binary, const struct port_item *port, const uint32_t *uid, enum removal removal)
{
	size_t kept = 0, removed;

	for (size_t i = 0; i < policy->rule_count; i++) {
		if (!rule_is_removed(policy, &policy->rules[i], binary, port, uid, removal))
			policy->rules[kept++] = policy->rules[i];
	}
	removed = policy->rule_count - kept;
	policy->rule_count = kept;
	return removed;
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

static int compare_numbers(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

/*
 * Same request and verdict: 0. Temporary ones first, `any` last; then by binary, those that decide nothing last, by rank, and
 * whatever tells two rules apart.
 */
static int compare_requests(const struct policy *policy, const struct rule *a, const struct rule *b)
{
	const char *first = identity(&policy->binaries[a->binary]);
	const char *second = identity(&policy->binaries[b->binary]);
	int order = !a->until - !b->until;

	if (!order)
		order = !strcmp(first, "any") - !strcmp(second, "any");
	if (!order)
		order = strcmp(first, second);
	/* One path can have had two entries, if its directory was replaced. The converse policy_unify() has mended. */
	if (!order)
		order = compare_numbers(policy->binaries[a->binary].number, policy->binaries[b->binary].number);
	if (!order)
		order = rule_decides(b) - rule_decides(a);
	if (!order)
		order = compare_numbers(rule_rank(b), rule_rank(a));
	if (!order)
		order = compare_numbers(a->port.first, b->port.first);
	if (!order)
		order = compare_numbers(a->port.last, b->port.last);
	if (!order)
		order = compare_numbers(a->port.protocol, b->port.protocol);
	if (!order)
		order = compare_numbers(a->has_uid, b->has_uid);
	if (!order && a->has_uid)
		order = compare_numbers(a->uid, b->uid);
	if (!order && a->unknown_user && b->unknown_user)
		order = strcmp(rule_unknown_user(policy, a), rule_unknown_user(policy, b));
	return order;
}

static int compare_rules(const void *a, const void *b, void *policy)
{
	const struct rule *first = a, *second = b;
	const struct policy *p = policy;
	int order = compare_requests(p, first, second);

	/* Of repetitions the first one stays: a choice that doesn't depend on the order of files. */
	if (!order)
		order = strcmp(first->section, second->section);
	if (!order)
		order = strcmp(p->binaries[first->binary].path, p->binaries[second->binary].path);
	return order;
}

static size_t drop_repetitions(struct policy *policy)
{
	size_t kept = 0, dropped;

	for (size_t i = 0; i < policy->rule_count; i++) {
		if (kept && !compare_requests(policy, &policy->rules[kept - 1], &policy->rules[i]))
			continue;
		policy->rules[kept++] = policy->rules[i];
	}
	dropped = policy->rule_count - kept;
	policy->rule_count = kept;
	return dropped;
}

/* Binaries in the order of their first rule; those without one are dropped. */
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

/* Drops the names of unknown users that no rule has any more. */
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

static int compare_binaries(const void *a, const void *b)
{
	const struct binary *first = *(struct binary *const *)a, *second = *(struct binary *const *)b;
	int order = compare_numbers(first->number, second->number);

	return order ? order : strcmp(identity(first), identity(second));
}

void policy_unify(struct policy *policy)
{
	struct binary **sorted = must(calloc(policy->binary_count + 1, sizeof(struct binary *)));

	for (size_t i = 0; i < policy->binary_count; i++)
		sorted[i] = &policy->binaries[i];
	qsort(sorted, policy->binary_count, sizeof(struct binary *), compare_binaries);
	for (size_t i = 1; i < policy->binary_count; i++) {
		if (sorted[i]->number == BINARY_ANY || sorted[i]->number != sorted[i - 1]->number)
			continue;
		free(sorted[i]->resolved);
		sorted[i]->resolved = must(strdup(identity(sorted[i - 1])));
	}
	free(sorted);
}

static int compare_identities(const void *a, const void *b)
{
	return strcmp(identity(*(struct binary *const *)a), identity(*(struct binary *const *)b));
}

void policy_number_alike(struct policy *a, struct policy *b)
{
	struct binary **sorted = must(calloc(a->binary_count + b->binary_count + 1, sizeof(struct binary *)));
	size_t count = 0;
	uint32_t number = 0;

	for (size_t i = 0; i < a->binary_count; i++)
		sorted[count++] = &a->binaries[i];
	for (size_t i = 0; i < b->binary_count; i++)
		sorted[count++] = &b->binaries[i];
	qsort(sorted, count, sizeof(struct binary *), compare_identities);
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(sorted[i]->path, "any"))
			sorted[i]->number = BINARY_ANY;
		else
			sorted[i]->number = i && !compare_identities(&sorted[i - 1], &sorted[i]) ? number : ++number;
	}
	free(sorted);
}

size_t policy_normalise(struct policy *policy)
{
	size_t dropped;

	if (policy->rule_count)
		qsort_r(policy->rules, policy->rule_count, sizeof(*policy->rules), compare_rules, policy);
	dropped = drop_repetitions(policy);
	renumber_binaries(policy);
	renumber_unknown_users(policy);
	return dropped;
}

static bool same_users(const struct policy *a, const struct rule *x, const struct policy *b, const struct rule *y)
{
	if (x->has_uid != y->has_uid || (x->has_uid && x->uid != y->uid) || !x->unknown_user != !y->unknown_user)
		return false;
	return !x->unknown_user || !strcmp(rule_unknown_user(a, x), rule_unknown_user(b, y));
}

bool policy_same_rules(const struct policy *a, const struct policy *b)
{
	if (a->rule_count != b->rule_count)
		return false;
	for (size_t i = 0; i < a->rule_count; i++) {
		const struct rule *x = &a->rules[i], *y = &b->rules[i];

		if (strcmp(a->binaries[x->binary].path, b->binaries[y->binary].path) != 0 || !port_equal(&x->port, &y->port) ||
		    x->verdict != y->verdict || !same_users(a, x, b, y) || x->until != y->until)
			return false;
	}
	return true;
}
