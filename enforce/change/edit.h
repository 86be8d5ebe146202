/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes the live policy for a command: reads it, has it changed, judges it and puts it back whole.
 */
#ifndef SOCKACCEPT_EDIT_H
#define SOCKACCEPT_EDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "enforce/kernel/kernel.h"
#include "policy/policy.h"

struct policy_edit {
	/* Changes `policy`, the live one, and sets *changed if that made a difference. Prints what is wrong. */
	enum status (*change)(struct kernel *kernel, struct policy *policy, void *data, bool *changed);
	/* Looks at the policy as it will be, sorted and with its numbers, also if nothing changes. May be NULL. */
	void (*look)(const struct policy *policy, void *data);
	/* Do something beside it, once all is judged, and undo it if the policy can't be put in force. May be NULL. */
	enum status (*commit)(void *data);
	void (*undo)(void *data);
	void *data;
	bool force; /* change it even if that locks the administrator out (enforce/change/lockout.h) */
};

/*
 * Reads the live policy, changes it, and puts it back if that made a difference; takes the change lock for that. Sets *generation to that
 * of the policy then in force, and *changed if it made a difference. Prints what is wrong; nothing is changed then.
 */
enum status edit_policy(const struct policy_edit *edit, uint64_t *generation, bool *changed);

#endif
