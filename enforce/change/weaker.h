/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Warns of a change of policy that enforces less than before, whatever the rules are: a file that doesn't mention the default allows.
 */
#ifndef SOCKACCEPT_WEAKER_H
#define SOCKACCEPT_WEAKER_H

#include "policy/policy.h"

struct stance {
	unsigned mode;               /* enum mode */
	unsigned verdict;            /* enum verdict: the default */
	unsigned switches[SWITCHES]; /* enum answer */
};

/* Returns the stance of `policy`. */
struct stance stance_of(const struct policy *policy);

/* Warns of each default, mode or switch of `now` that is weaker than in `before`. */
void stance_warn(struct stance before, struct stance now);

#endif
