/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks an image in user space what the kernel would decide, by the code that the kernel runs.
 */
#include "policy/decide.h"

typedef const struct image *policy_ref;

static const struct policy_page *policy_page(policy_ref policy, __u32 number)
{
	return number < policy->count ? &policy->pages[number] : NULL;
}

#include "bpf/shared/decision.h"

const struct rule_record *decide_request(const struct image *image, const struct request *request)
{
	return decide(image, &image->pages->header, request);
}

unsigned decide_verdict(const struct image *image, const struct rule_record *rule)
{
	return rule ? rule->label.verdict : image->pages->header.verdict;
}

bool decide_denies_some(const struct image *image)
{
	const struct policy_header *header = &image->pages->header;
	bool some = header->verdict == VERDICT_DENY;

	for (uint32_t i = 0; i < header->rules && !some; i++)
		some = rule_at(image, header, i)->label.verdict == VERDICT_DENY;
	return some && header->mode == MODE_ENFORCE;
}

uint64_t decide_next_end(const struct image *image, uint64_t now)
{
	const struct policy_header *header = &image->pages->header;
	uint64_t next = 0;

	for (uint32_t i = 0; i < header->temporaries; i++) {
		uint64_t until = rule_at(image, header, i)->until;

		if (until > now && (!next || until < next))
			next = until;
	}
	return next;
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
