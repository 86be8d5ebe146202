/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Puts a policy in an order that does not depend on that of its files, so that two policies can be compared.
 */
#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/compare.h"
#include "policy/port.h"

/*
 * Compares all that tells two rules apart, but sections and the paths as given: temporary rules come first, `any` last, and so on, as
 * policy_normalise() says.
 */
static int compare_requests(const struct policy *policy, const struct rule *a, const struct rule *b)
{
	const struct binary *first = &policy->binaries[a->binary], *second = &policy->binaries[b->binary];

	COMPARE(!a->until, !b->until);
	COMPARE(binary_is_any(first), binary_is_any(second));
	if (strcmp(binary_identity(first), binary_identity(second)) != 0)
		return strcmp(binary_identity(first), binary_identity(second));
	/* One path can stand for two entries, if its directory was replaced. policy_unify() takes care of one entry with two paths. */
	COMPARE(first->number, second->number);
	COMPARE(rule_decides(b), rule_decides(a));
	COMPARE(rule_rank(b), rule_rank(a));
	COMPARE(a->port.first, b->port.first);
	COMPARE(a->port.last, b->port.last);
	COMPARE(a->port.protocol, b->port.protocol);
	COMPARE(a->has_uid, b->has_uid);
	if (a->has_uid)
		COMPARE(a->uid, b->uid);
	return a->unknown_user && b->unknown_user ? strcmp(rule_unknown_user(policy, a), rule_unknown_user(policy, b)) : 0;
}

static int compare_rules(const void *a, const void *b, void *policy)
{
	const struct rule *first = a, *second = b;
	const struct policy *p = policy;
	int order = compare_requests(p, first, second);

	/* drop_repetitions() keeps the first one: this makes the choice independent of the order of files. */
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

static int compare_binaries(const void *a, const void *b)
{
	const struct binary *first = *(struct binary *const *)a, *second = *(struct binary *const *)b;

	COMPARE(first->number, second->number);
	return strcmp(binary_identity(first), binary_identity(second));
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
		sorted[i]->resolved = must(strdup(binary_identity(sorted[i - 1])));
	}
	free(sorted);
}

static int compare_identities(const void *a, const void *b)
{
	return strcmp(binary_identity(*(struct binary *const *)a), binary_identity(*(struct binary *const *)b));
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
		if (binary_is_any(sorted[i]))
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
	policy_renumber(policy);
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
