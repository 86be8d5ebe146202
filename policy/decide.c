/* SPDX-License-Identifier: GPL-2.0-only */
#include "policy/decide.h"

typedef const struct image *policy_ref;

static const struct policy_page *policy_page(policy_ref policy, __u32 number)
{
	return number < policy->count ? &policy->pages[number] : NULL;
}

#include "bpf/decision.h"

const struct rule_record *decide_request(const struct image *image, const struct request *request)
{
	return decide(image, &image->pages->header, request);
}

unsigned decide_verdict(const struct image *image, const struct rule_record *rule)
{
	return rule ? rule->label.verdict : image->pages->header.verdict;
}

bool decide_never(const struct image *image, struct request *request)
{
	const struct rule_record *rule;

	return denies_everyone(image, &image->pages->header, request, &rule);
}

bool decide_listen(const struct image *image, struct request *request)
{
	return !(image->pages->header.flags & POLICY_JUDGES_LISTEN) || !decide_never(image, request);
}
