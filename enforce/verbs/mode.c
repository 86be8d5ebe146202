/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mode: switches the live policy between enforce and permissive.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "enforce/change/edit.h"
#include "enforce/change/weaker.h"
#include "enforce/verbs/verb.h"

struct mode_change {
	enum mode mode;
	struct stance before, now;
};

static enum status set_mode(struct kernel *kernel, struct policy *policy, void *data, bool *changed)
{
	struct mode_change *change = data;

	(void)kernel;
	change->before = stance_of(policy);
	*changed = policy->mode != change->mode;
	policy->mode = change->mode;
	change->now = stance_of(policy);
	return STATUS_DONE;
}

enum status verb_mode(const struct invocation *invocation)
{
	const char *word = invocation->arguments[0];
	struct mode_change mode = { .mode = strcmp(word, "permissive") ? MODE_ENFORCE : MODE_PERMISSIVE };
	const struct policy_edit change = { .change = set_mode, .data = &mode, .force = invocation->given[OPTION_FORCE] };
	uint64_t generation = 0;
	bool changed = false;

	if (mode.mode == MODE_ENFORCE && strcmp(word, "enforce") != 0)
		return fail(STATUS_USAGE, "unknown mode `%s`; it is `enforce` or `permissive`", word);
	TRY(edit_policy(&change, &generation, &changed));
	stance_warn(mode.before, mode.now);
	printf("Mode %s: generation %" PRIu64 ".\n", word, generation);
	return STATUS_DONE;
}
