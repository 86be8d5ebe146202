/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/weaker.h"

#include "enforce/status.h"

struct stance stance_of(const struct policy *policy)
{
	return (struct stance){ policy->mode, policy->verdict, policy->judges_listen };
}

void stance_warn(struct stance before, struct stance now)
{
	if (before.verdict == VERDICT_DENY && now.verdict == VERDICT_ALLOW)
		warn("the default was deny and is allow now: every program that no rule denies may accept; unless that is meant, write "
		     "default = deny in [sockaccept] and load it");
	if (before.mode == MODE_ENFORCE && now.mode == MODE_PERMISSIVE)
		warn("the mode was enforce and is permissive now: denials are recorded, and nothing is denied; unless that is meant, run: "
		     "sockaccept-ctl mode enforce");
	if (before.judges_listen == ANSWER_YES && now.judges_listen == ANSWER_NO)
		warn("judge-listen was yes and is no now: listen(2) of a denied server succeeds, and only its accept(2) fails; unless that is "
		     "meant, write judge-listen = yes in [sockaccept] and load it");
}
