/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a new rule holds where it matches, or others decide otherwise there all the same.
 */
#ifndef SOCKACCEPT_OVERRULE_H
#define SOCKACCEPT_OVERRULE_H

#include "policy/policy.h"

/* Zero-initialised is empty. */
struct overrulings {
	size_t *rules; /* indices in policy.rules, in their order */
	size_t count;
};

/*
 * Finds the rules of `policy` that decide some request otherwise than `rule` says, which is one of its rules and matches the
 * request too. `rule` is for the binary of number `binary`, whatever its own index says. A lasting rule counts as if there was
 * no temporary one, as these end; a temporary one counts at the time `now`, in ns since boot. `policy` is normalised and has
 * its numbers. Returns 0, or what image_build() does. Aborts without memory.
 */
int overrulings_find(const struct policy *policy, uint32_t binary, const struct rule *rule, uint64_t now, struct overrulings *found);

/* Frees what it holds and leaves it empty. */
void overrulings_clear(struct overrulings *found);

/*
 * Sets *effect to whether `after`, which is `before` with `rule` in it, decides some request as `rule` says where `before`
 * decides otherwise. Both are normalised and have the same numbers for the same binaries; their temporary rules don't count.
 * Returns 0, or what image_build() does.
 */
int overrule_effect(const struct policy *before, const struct policy *after, uint32_t binary, const struct rule *rule, bool *effect);

#endif
