/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Adds, replaces and removes rules: what `allow`, `deny` and `remove` do to a policy, and what becomes of temporary rules.
 */
#include "policy/policy.h"

#include <string.h>

#include "policy/cleanup.h"
#include "policy/port.h"

/* Drops the temporary rules for the request of `rule`. Sets *counter to that of one with the same verdict. Returns how many it dropped. */
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
	/* Rules of both verdicts were there: the file said both, and deny decided. */
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
	/* The last word counts, even where a temporary rule would beat it. */
	bool dropped = drop_temporaries(policy, rule, &fresh.counter);

	if (!rule->until)
		return replace_lasting(policy, rule) || dropped;
	policy_append(policy, &fresh);
	return true;
}

bool removal_is_of_made(enum removal removal)
{
	return removal != REMOVE_EXACT;
}

bool rule_is_removed(const struct policy *policy, const struct rule *rule, size_t binary, const struct port_item *port, const uint32_t *uid,
		     enum removal removal)
{
	if (!rule_decides(rule) || !policy_same_binary(policy, rule->binary, binary) || (port && !port_equal(&rule->port, port)))
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
		rule.origin = 0; /* it was an index in `from` */
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
