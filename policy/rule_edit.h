/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `allow`, `deny` and `remove` ask for. The same edit is applied to the live policy and to a file.
 */
#ifndef SOCKACCEPT_RULE_EDIT_H
#define SOCKACCEPT_RULE_EDIT_H

#include "policy/policy.h"

struct rule_edit {
	const char *path; /* of the binary, as rules give it, or "any" */
	const struct port_item *ports;
	size_t port_count; /* 0: all ports of the binary; only when it removes */
	const uint32_t *uids;
	size_t uid_count;        /* 0: rules without a user; when it removes, as `removal` says */
	char *const *user_words; /* the users as they were given, names or ids, for a file; NULL: write their ids */
	bool remove;
	enum removal removal; /* when it removes */
	uint8_t verdict;      /* enum verdict, unless it removes */
	uint64_t until;       /* when the rules end, ns of CLOCK_BOOTTIME; 0: they last */
};

/* Returns how many rules the edit is about: one for each port and user. */
size_t rule_edit_count(const struct rule_edit *edit);

/* Returns the rule of number `index`, counted from 0, for the binary with the index `binary` in its policy. */
struct rule rule_edit_rule(const struct rule_edit *edit, size_t binary, size_t index);

/* Adds that rule to `policy`, or removes the rules that it stands for. Returns true if that changed the policy. */
bool rule_edit_apply(const struct rule_edit *edit, struct policy *policy, size_t binary, size_t index);

#endif
