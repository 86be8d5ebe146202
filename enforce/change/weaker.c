/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/weaker.h"

#include <string.h>

#include "enforce/base/status.h"
#include "policy/ini.h"

struct stance stance_of(const struct policy *policy)
{
	struct stance stance = { .mode = policy->mode, .verdict = policy->verdict };

	memcpy(stance.switches, policy->switches, sizeof(stance.switches));
	return stance;
}

void stance_warn(struct stance before, struct stance now)
{
	static const char *const without[SWITCHES] = {
		[SWITCH_JUDGE_LISTEN] = "listen(2) of a denied server succeeds, and only its accept(2) fails",
		[SWITCH_GATE] = "a denied listener still takes new connections into its queue",
		[SWITCH_DRAIN] = "connections that wait on a denied listener stay there, and most servers spin on them",
	};

	if (before.verdict == VERDICT_DENY && now.verdict == VERDICT_ALLOW)
		warn("the default was deny and is allow now: every program that no rule denies may accept; unless that is meant, write "
		     "default = deny in [sockaccept] and load it");
	if (before.mode == MODE_ENFORCE && now.mode == MODE_PERMISSIVE)
		warn("the mode was enforce and is permissive now: denials are recorded, and nothing is denied; unless that is meant, run: "
		     "sockaccept-ctl mode enforce");
	for (unsigned i = 0; i < SWITCHES; i++)
		if (before.switches[i] == ANSWER_YES && now.switches[i] == ANSWER_NO)
			warn("%s was yes and is no now: %s; unless that is meant, write %s = yes in [sockaccept] and load it",
			     ini_switch_words[i], without[i], ini_switch_words[i]);
}
