/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A change of policy that enforces less than before, whatever the rules are: a file that says nothing of the default allows.
 */
#ifndef SOCKACCEPT_WEAKER_H
#define SOCKACCEPT_WEAKER_H

#include "policy/policy.h"

struct stance {
	unsigned mode;    /* enum mode */
	unsigned verdict; /* enum verdict: the default */
	unsigned switches[SWITCHES]; /* enum answer */
};

struct stance stance_of(const struct policy *policy);

/* Warns of a default, a mode or a switch in force that is weaker than the one before. */
void stance_warn(struct stance before, struct stance now);

#endif
