/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds out whether a new rule decides where it matches, or other rules still decide otherwise there.
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
 * Finds the rules of `policy` that decide some request otherwise than `rule` does, though `rule`, which is in `policy`, matches the
 * request too. `binary` is the number of the rule's binary, and its own index does not count. Between lasting rules, temporary ones
 * do not count, since they end; a temporary rule is judged at the time `now`, in ns since boot. `policy` must be normalised, with its
 * binaries' numbers. Returns 0, or the error of image_build(). Aborts without memory.
 */
int overrulings_find(const struct policy *policy, uint32_t binary, const struct rule *rule, uint64_t now, struct overrulings *found);

/* Frees what it holds, and leaves it empty. */
void overrulings_clear(struct overrulings *found);

/*
 * Sets *effect to true if `after`, which is `before` with `rule` added, decides some request as `rule` says where `before` decides
 * otherwise, and to false if not. Both must be normalised, with the same numbers for the same binaries. Temporary rules do not count.
 * Returns 0, or the error of image_build().
 */
int overrule_effect(const struct policy *before, const struct policy *after, uint32_t binary, const struct rule *rule, bool *effect);

#endif
