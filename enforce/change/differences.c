/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/differences.h"

#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/compare.h"

/* Returns what the path of the rule's binary leads to, so that two spellings are one, or the path itself if that isn't known. */
static const char *binary_of(const struct entry *entry)
{
	const struct binary *binary = &entry->policy->binaries[entry->rule->binary];

	return binary->resolved ? binary->resolved : binary->path;
}

int entries_compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	const struct rule *r = x->rule, *s = y->rule;
	int order = strcmp(binary_of(x), binary_of(y));

	if (order)
		return order;
	COMPARE(r->port.first, s->port.first);
	COMPARE(r->port.last, s->port.last);
	COMPARE(r->port.protocol, s->port.protocol);
	COMPARE(r->has_uid, s->has_uid);
	if (r->has_uid)
		COMPARE(r->uid, s->uid);
	COMPARE(r->verdict, s->verdict);
	COMPARE(r->until, s->until);
	return 0;
}

struct entry *entries_sorted(const struct policy *policy)
{
	struct entry *entries = must(calloc(policy->rule_count + 1, sizeof(*entries)));

	for (size_t i = 0; i < policy->rule_count; i++)
		entries[i] = (struct entry){ policy, &policy->rules[i] };
	qsort(entries, policy->rule_count, sizeof(*entries), entries_compare);
	return entries;
}

bool policies_are_alike(const struct policy *files, const struct policy *live)
{
	size_t temporaries = policy_temporaries(live);
	struct policy lasting = *live;
	_cleanup_free_ struct entry *theirs = entries_sorted(files), *ours = NULL;

	/* Temporary rules come first. */
	lasting.rules += temporaries;
	lasting.rule_count -= temporaries;
	if (files->mode != live->mode || files->verdict != live->verdict || files->rule_count != lasting.rule_count ||
	    memcmp(files->switches, live->switches, sizeof(files->switches)))
		return false;
	ours = entries_sorted(&lasting);
	for (size_t i = 0; i < files->rule_count; i++)
		if (entries_compare(&theirs[i], &ours[i]))
			return false;
	return true;
}
