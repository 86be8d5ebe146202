/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Puts a whole policy in force: as the first one, with the programs that are loaded and attached for it; or in the place of another.
 */
#ifndef SOCKACCEPT_PUBLISH_H
#define SOCKACCEPT_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "enforce/base/status.h"
#include "policy/policy.h"

/* How a policy comes into force. */
struct publication {
	bool boot;        /* the machine is starting, so nobody can be locked out */
	bool last_good;   /* it is the last good policy, which a boot falls back to */
	bool force;       /* publish it even if it locks the administrator out */
	uint64_t confirm; /* seconds within which it must be confirmed; after them the policy before it comes back. 0: no trial */
};

/*
 * Puts `policy`, as policy_files_read() gives it, in force, and sets its numbers and generation. Loads and attaches the programs if nothing
 * is loaded. Needs the change lock. Prints what is wrong; the policy that was in force before then stays in force.
 */
enum status publish(struct policy *policy, const struct publication *how);

#endif
