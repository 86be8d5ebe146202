/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds a policy that is in force although its pins can't be reached, because something is mounted over them or they are in another
 * mount namespace. Without the pins it would look as if nothing were loaded; so this looks for the attached program by its id.
 */
#ifndef SOCKACCEPT_HIDDEN_H
#define SOCKACCEPT_HIDDEN_H

#include <stdbool.h>
#include <stdint.h>

#include "enforce/base/status.h"

struct hidden {
	bool known;       /* the rest could be read: that of a locked policy can't */
	uint32_t mode;    /* enum mode */
	uint32_t verdict; /* the default, an enum verdict */
	uint32_t flags;   /* enum policy_flag */
	uint32_t rules;
	uint64_t generation;
};

/*
 * Looks for such a policy if nothing is pinned. Call this before capabilities are dropped: finding objects by their ids takes
 * CAP_SYS_ADMIN, and without it nothing is found.
 */
void hidden_look_around(void);

/* Returns what hidden_look_around() has found, or NULL if it found nothing. */
const struct hidden *hidden_found(void);

/* Returns why the pins can't be reached, and the remedy, as a text to be freed. */
char *hidden_problem(void);

/* Returns STATUS_DONE if nothing was found. Otherwise prints hidden_problem(), and returns STATUS_FAILED. */
enum status hidden_refuse(void);

/*
 * Does what hidden_refuse() does; but if hidden_look_around() lacked CAP_SYS_ADMIN, as in a unit, first asks the kernel in another way,
 * which takes CAP_PERFMON (enforce/kernel/attached.h).
 */
enum status hidden_refuse_unsearched(void);

#endif
