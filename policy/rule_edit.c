/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes rules of what `allow`, `deny` and `remove` ask for, and applies them to a policy.
 */
#include "policy/rule_edit.h"

static size_t users_of(const struct rule_edit *edit)
{
	return edit->uid_count ? edit->uid_count : 1;
}

size_t rule_edit_count(const struct rule_edit *edit)
{
	return (edit->port_count ? edit->port_count : 1) * users_of(edit);
}

struct rule rule_edit_rule(const struct rule_edit *edit, size_t binary, size_t index)
{
	struct rule rule = {
		.section = CLI_SECTION,
		.binary = binary,
		.verdict = edit->verdict,
		.has_uid = edit->uid_count > 0,
		.counter = COUNTER_NONE,
		.until = edit->until,
	};

	if (edit->port_count)
		rule.port = edit->ports[index / users_of(edit)];
	if (edit->uid_count)
		rule.uid = edit->uids[index % users_of(edit)];
	return rule;
}

bool rule_edit_apply(const struct rule_edit *edit, struct policy *policy, size_t binary, size_t index)
{
	const struct rule rule = rule_edit_rule(edit, binary, index);

	if (!edit->remove)
		return policy_replace(policy, &rule);
	return policy_remove(policy, binary, edit->port_count ? &rule.port : NULL, edit->uid_count ? &rule.uid : NULL, edit->removal) != 0;
}
