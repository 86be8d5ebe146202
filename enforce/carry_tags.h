/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that run as a binary whose name they have no more, when one kernel side takes over from another.
 */
#ifndef SOCKACCEPT_CARRY_TAGS_H
#define SOCKACCEPT_CARRY_TAGS_H

#include "enforce/kernel.h"
#include "policy/policy.h"

/*
 * Each file that a process runs and that is tagged as one of `policy`'s binaries in `from`, where binary i has numbers[i], is
 * tagged so in `to`, where it has its own number; unless its name tells there what it is. Of processes that this one may not
 * look at, or if the tags of `from` are of another kind, none is.
 */
void carry_tags(const struct kernel *from, const struct kernel *to, const struct policy *policy, const uint32_t *numbers);

#endif
