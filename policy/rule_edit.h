/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `allow`, `deny` and `remove` ask for: the same of the live policy and of a file.
 */
#ifndef SOCKACCEPT_RULE_EDIT_H
#define SOCKACCEPT_RULE_EDIT_H

#include "policy/policy.h"

struct rule_edit {
	const char *path; /* of the binary, as rules give it, or "any" */
	const struct port_item *ports;
	size_t port_count; /* 0: all of the binary's; only to remove */
	const uint32_t *uids;
	size_t uid_count;  /* 0: rules without a user; to remove: as `removal` says */
	char *const *user_words; /* the same as they were given, names or ids: what a file gets; NULL: their ids */
	bool remove;
	enum removal removal; /* if it is to remove */
	uint8_t verdict;   /* enum verdict, unless it is to remove */
	uint64_t until;    /* when the rules end, ns of CLOCK_BOOTTIME; 0: they last */
};

/* How many rules it is about: one for each port and user. */
size_t rule_edit_count(const struct rule_edit *edit);

/* The one of these with this index, for the binary with that index. */
struct rule rule_edit_rule(const struct rule_edit *edit, size_t binary, size_t index);

/* Adds that rule to `policy`, or removes what it is about. Returns true if that changed the policy. */
bool rule_edit_apply(const struct rule_edit *edit, struct policy *policy, size_t binary, size_t index);

#endif
