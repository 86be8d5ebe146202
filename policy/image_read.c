/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a policy back from its image. The live policy is kept nowhere else than in the kernel.
 */
#include "policy/image.h"

#include <errno.h>
#include <string.h>

static bool within(uint32_t first, uint64_t items, uint64_t per_page, size_t pages)
{
	return first + (items + per_page - 1) / per_page <= pages;
}

bool image_is_valid(const struct policy_page *pages, size_t count)
{
	const struct policy_header *header;

	if (!count)
		return false;
	header = &pages[0].header;
	return header->layout == IMAGE_LAYOUT && header->pages == count && header->mode < MODES && header->verdict < VERDICTS &&
	       within(header->rules_page, header->rules, RULES_PER_PAGE, count) && within(header->names_page, header->names, 1, count);
}

static void read_rule(const struct rule_record *record, struct rule *rule)
{
	const struct rule_label *label = &record->label;

	*rule = (struct rule){
		.binary = record->name,
		.port = { label->first, label->last, label->protocol },
		.verdict = label->verdict,
		.has_uid = label->has_uid,
		.uid = label->uid,
		.unknown_user = record->unknown_user,
		.counter = record->counter,
		.until = record->until,
	};
	memcpy(rule->section, label->section, SECTION_MAX);
}

static void read_name(const struct name_record *record, struct policy *policy)
{
	char path[NAME_MAX_BYTES + 1] = { 0 };
	struct binary *binary;
	size_t index;

	memcpy(path, record->path, NAME_MAX_BYTES);
	if (record->flags & NAME_USER) {
		policy_unknown_user(policy, path);
		return;
	}
	index = policy_binary(policy, path); /* this can move the binaries */
	binary = &policy->binaries[index];
	binary->number = record->binary;
	binary->waits = record->flags & NAME_WAITS;
}

/* Turns the index of a name into a rule's unknown_user. Returns false if it isn't the name of a user. */
static bool read_unknown_user(const struct policy *policy, uint32_t *user)
{
	if (*user && *user < policy->binary_count)
		return false;
	*user = *user ? *user - (uint32_t)policy->binary_count + 1 : 0;
	return *user <= policy->unknown_user_count;
}

int image_read(const struct policy_page *pages, size_t count, struct policy *policy)
{
	const struct policy_header *header;

	policy_clear(policy);
	if (!image_is_valid(pages, count))
		return -EPROTO;
	header = &pages[0].header;
	policy->mode = header->mode;
	policy->verdict = header->verdict;
	policy_set_flags(policy, header->flags);
	policy->generation = header->generation;
	memcpy(policy->source, header->source, POLICY_SOURCE_MAX);

	for (uint32_t i = 0; i < header->names; i++)
		read_name(&pages[header->names_page + i].name, policy);
	for (uint32_t i = 0; i < header->rules; i++) {
		struct rule rule;

		read_rule(&pages[header->rules_page + i / RULES_PER_PAGE].rule[i % RULES_PER_PAGE], &rule);
		if (rule.binary >= policy->binary_count || rule.verdict > VERDICT_LISTEN ||
		    !read_unknown_user(policy, &rule.unknown_user)) {
			policy_clear(policy);
			return -EPROTO;
		}
		policy_append(policy, &rule);
	}
	return 0;
}
