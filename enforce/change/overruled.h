/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds rules of a policy that still decide otherwise than one that the command line adds, and what to write instead.
 */
#ifndef SOCKACCEPT_OVERRULED_H
#define SOCKACCEPT_OVERRULED_H

#include "policy/policy.h"
#include "policy/rule_edit.h"

struct objection {
	char *rule;    /* ``[redis] has `allow = 6379` for /usr/bin/redis-server and user redis'' */
	char *instead; /* the command that would decide there too; NULL: none would, so that rule has to be changed where it stands */
};

/* Zero-initialised is empty. */
struct objections {
	struct objection *list;
	size_t count;
};

/*
 * Adds to `objections` what still decides otherwise than the rule `index` of `edit`, which `policy` has by now, unless it is in the list
 * already. `number` is that of the rule's binary. `save` says that the command in `instead` should have --save. Returns 0, or -errno as
 * image_build().
 */
int objections_find(const struct policy *policy, uint32_t number, const struct rule_edit *edit, size_t index, bool save,
		    struct objections *objections);

/* Adds those of `more` to `objections`, and leaves `more` empty. */
void objections_join(struct objections *objections, struct objections *more);

/* Warns of the first of them, and of the number of the others. */
void objections_warn(const struct objections *objections, const struct rule_edit *edit);

/* Frees what it holds and leaves it empty. */
void objections_clear(struct objections *objections);

#endif
