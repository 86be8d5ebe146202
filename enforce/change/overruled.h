/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the other rules of a policy say against one that the command line adds, and what to say instead.
 */
#ifndef SOCKACCEPT_OVERRULED_H
#define SOCKACCEPT_OVERRULED_H

#include "policy/policy.h"
#include "policy/rule_edit.h"

struct objection {
	char *rule;    /* ``[redis] has `allow = 6379` for /usr/bin/redis-server and user redis'' */
	char *instead; /* the command that would hold there; NULL: none would, and the rule has to be changed where it is */
};

/* Zero-initialised is empty. */
struct objections {
	struct objection *list;
	size_t count;
};

/*
 * Adds what there is against the rule of this index among those of `edit`, which is one of `policy` by now; `number` is that of its
 * binary. What is in the list already isn't added. `save`: the command is to have --save. Returns 0, or what image_build() does.
 */
int objections_find(const struct policy *policy, uint32_t number, const struct rule_edit *edit, size_t index, bool save,
		    struct objections *objections);

/* Adds those of `more`, and leaves that empty. */
void objections_join(struct objections *objections, struct objections *more);

/* Warns of all of them, or of the first ones. */
void objections_warn(const struct objections *objections, const struct rule_edit *edit);

/* Frees what it holds and leaves it empty. */
void objections_clear(struct objections *objections);

#endif
