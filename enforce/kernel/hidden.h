/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy that is in force while its pins can't be reached: another file system is mounted over them, or they are in another mount
 * namespace. Without the pins it looks as if nothing were loaded, so the attached program is looked for by its id.
 */
#ifndef SOCKACCEPT_HIDDEN_H
#define SOCKACCEPT_HIDDEN_H

#include <stdbool.h>
#include <stdint.h>

#include "enforce/base/status.h"

struct hidden {
	bool known; /* the rest could be read: of a locked policy it can't */
	uint32_t mode;    /* enum mode */
	uint32_t verdict; /* enum verdict: the default */
	uint32_t flags;   /* enum policy_flag */
	uint32_t rules;
	uint64_t generation;
};

/*
 * Looks for such a policy where nothing is pinned. To be called before capabilities are dropped, as only CAP_SYS_ADMIN finds
 * objects by their ids; without it, nothing is found.
 */
void hidden_look_around(void);

/* What hidden_look_around() has found; NULL: nothing. */
const struct hidden *hidden_found(void);

/* Why the pins can't be reached, and the remedy, to be freed. */
char *hidden_problem(void);

/* STATUS_DONE if nothing was found; otherwise says hidden_problem(), and returns STATUS_FAILED. */
enum status hidden_refuse(void);

/*
 * Where hidden_look_around() couldn't look for want of CAP_SYS_ADMIN, as in a unit: asks the kernel in another way, which takes
 * CAP_PERFMON. As hidden_refuse().
 */
enum status hidden_refuse_unsearched(void);

#endif
