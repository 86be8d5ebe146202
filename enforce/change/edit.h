/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a command changes the live policy: read, changed, judged, put back whole.
 */
#ifndef SOCKACCEPT_EDIT_H
#define SOCKACCEPT_EDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "enforce/kernel/kernel.h"
#include "policy/policy.h"

struct policy_edit {
	/* Changes `policy`, the live one. *changed: whether that made a difference. Says what is wrong. */
	enum status (*change)(struct kernel *kernel, struct policy *policy, void *data, bool *changed);
	/* Looks at the policy as it will be, in order and with its numbers, also if nothing changes. NULL: nothing does. */
	void (*look)(const struct policy *policy, void *data);
	/* What is to be done beside it, once all is judged, and undone if the policy can't be put in force. NULL: nothing. */
	enum status (*commit)(void *data);
	void (*undo)(void *data);
	void *data;
	bool force; /* also if it locks the administrator out (enforce/change/lockout.h) */
};

/*
 * Reads the live policy, changes it, and puts it back if that made a difference, while no other command does.
 * *generation is that of the policy then in force. Says what is wrong; nothing is changed then.
 */
enum status edit_policy(const struct policy_edit *edit, uint64_t *generation, bool *changed);

#endif
