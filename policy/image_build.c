/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compiles a policy into its image: its rules as records, and for each binary the tables that find the rule that decides.
 */
#include "policy/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/image_listen.h"
#include "policy/image_table.h"

void image_clear(struct image *image)
{
	free(image->pages);
	free(image->index);
	*image = (struct image){ 0 };
}

static bool in_scope(const struct rule *rule, const uint32_t *uid, enum protocol protocol)
{
	if (!rule_decides(rule) || rule->port.protocol != protocol || rule->has_uid != (uid != NULL))
		return false;
	return !uid || rule->uid == *uid;
}

/*
 * Builds the root cells for the group's rules with exactly this user (NULL: without one) and protocol. Returns false, and leaves `root`
 * as it is, if there are no such rules.
 */
static bool build_scope_root(struct image *image, const struct group *group, const uint32_t *uid, enum protocol protocol, uint32_t *root)
{
	struct span *spans = must(calloc(group->count, sizeof(*spans)));
	size_t count = 0;

	for (size_t i = 0; i < group->count; i++) {
		if (in_scope(group->rules[i], uid, protocol))
			spans[count++] = span_of(&group->rules[i]->port, (uint32_t)i + 1);
	}
	if (count)
		image_build_root(image, spans, count, root);
	free(spans);
	return count != 0;
}

/* Builds the tables of one user (NULL: of rules without one), for protocols from `first` on. */
static void build_scope(struct image *image, const struct group *group, const uint32_t *uid, enum protocol first, struct scope *scope)
{
	for (unsigned protocol = first; protocol < PROTOCOLS; protocol++) {
		struct policy_page page = { 0 };

		if (build_scope_root(image, group, uid, protocol, page.cell))
			scope->tables[protocol] = image_intern_page(image, &page);
	}
}

/* Builds a level of the radix table over `uids`, whose bits from `shift` + 6 on are equal. pages[i] is the scope page of uids[i]. */
static uint32_t build_user_table(struct image *image, const uint32_t *uids, const uint32_t *pages, size_t count, unsigned shift)
{
	struct policy_page page = { 0 };

	for (size_t i = 0, next; i < count; i = next) {
		uint32_t digit = uids[i] >> shift & (PAGE_CELLS - 1);

		for (next = i; next < count && (uids[next] >> shift & (PAGE_CELLS - 1)) == digit;)
			next++;
		page.cell[digit] = CELL_TABLE | (shift ? build_user_table(image, uids + i, pages + i, next - i, shift - 6) : pages[i]);
	}
	return image_intern_page(image, &page);
}

/* Returns the root page of the radix table over the users of the group's rules; 0: no rule has a user. */
static uint32_t build_users(struct image *image, const struct group *group)
{
	uint32_t *uids, *pages, root = 0;
	size_t count = group_uids(group, &uids);

	if (!count) {
		free(uids);
		return 0;
	}
	pages = must(calloc(count, sizeof(*pages)));
	for (size_t i = 0; i < count; i++) {
		struct policy_page page = { 0 };

		build_scope(image, group, &uids[i], PROTOCOL_ANY, &page.scope);
		pages[i] = image_intern_page(image, &page);
	}
	root = build_user_table(image, uids, pages, count, UID_TOP_SHIFT);
	free(uids);
	free(pages);
	return root;
}

/* Returns -EINVAL if the binary has rules elsewhere too, so that they are not side by side. */
static int build_binary(struct image *image, const struct group *group, uint32_t first_rule)
{
	struct binary_entry entry = { .first_rule = first_rule };
	uint32_t page = image->pages[0].header.binaries_page + group->binary / BINARIES_PER_PAGE;

	build_scope_root(image, group, NULL, PROTOCOL_ANY, entry.root);
	build_scope(image, group, NULL, PROTOCOL_ANY + 1, &entry.anyone);
	entry.by_user = build_users(image, group);
	entry.rules = (uint32_t)group->count;
	if (image->pages[page].binary[group->binary % BINARIES_PER_PAGE].rules)
		return -EINVAL;
	image->pages[page].binary[group->binary % BINARIES_PER_PAGE] = entry;
	return 0;
}

static void fill_rule(struct image *image, const struct policy *policy, const struct rule *rule, size_t number)
{
	uint32_t page = image->pages[0].header.rules_page + (uint32_t)number / RULES_PER_PAGE;
	struct rule_record *record = &image->pages[page].rule[number % RULES_PER_PAGE];

	record->rank = rule_rank(rule);
	record->counter = rule->counter;
	record->name = (uint32_t)rule->binary;
	record->unknown_user = rule->unknown_user ? (uint32_t)policy->binary_count + rule->unknown_user - 1 : 0;
	memcpy(record->label.section, rule->section, sizeof(rule->section));
	record->label.first = rule->port.first;
	record->label.last = rule->port.last;
	record->label.protocol = rule->port.protocol;
	record->label.verdict = rule->verdict;
	record->label.has_uid = rule->has_uid;
	record->label.uid = rule->has_uid ? rule->uid : 0;
	record->until = rule->until;
	record->binary = rule->until ? image->pages[image->pages[0].header.names_page + rule->binary].name.binary : 0;
}

static void fill_names(struct image *image, const struct policy *policy)
{
	struct policy_page *page = &image->pages[image->pages[0].header.names_page];

	for (size_t i = 0; i < policy->binary_count; i++, page++) {
		page->name.binary = policy->binaries[i].number;
		page->name.flags = policy->binaries[i].waits ? NAME_WAITS : 0;
		strncpy(page->name.path, policy->binaries[i].path, NAME_MAX_BYTES);
	}
	for (size_t i = 0; i < policy->unknown_user_count; i++, page++) {
		page->name.flags = NAME_USER;
		strncpy(page->name.path, policy->unknown_users[i], NAME_MAX_BYTES);
	}
}

static int check_rules(const struct policy *policy)
{
	if (policy->rule_count > MAX_RULES)
		return -E2BIG;
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->counter >= RULE_COUNTERS && rule->counter != COUNTER_NONE)
			return -EINVAL;
		/* When a binary listens for others, neither the user nor the time is asked for. */
		if (!rule_decides(rule) && (rule->has_uid || rule->until))
			return -EINVAL;
		/* A rule for an unknown user must never become one for all users, or for another user. */
		if (rule->unknown_user && (!rule->has_uid || rule->uid != UID_NONE))
			return -EINVAL;
	}
	for (size_t i = 0; i < policy->unknown_user_count; i++)
		if (strlen(policy->unknown_users[i]) > NAME_MAX_BYTES)
			return -EINVAL;
	return 0;
}

/* Sets *binaries to the highest number + 1. */
static int check_numbers(const struct policy *policy, uint32_t *binaries)
{
	*binaries = 1;
	for (size_t i = 0; i < policy->binary_count; i++) {
		const struct binary *binary = &policy->binaries[i];

		if (binary->number >= MAX_BINARIES || strlen(binary->path) > NAME_MAX_BYTES)
			return -EINVAL;
		/* A rule for a binary that wasn't identified must never become one for all binaries. */
		if ((binary->number == BINARY_ANY) != binary_is_any(binary))
			return -EINVAL;
		if (binary->number >= *binaries)
			*binaries = binary->number + 1;
	}
	return 0;
}

/* Fills in the temporary rules, which policy_normalise() has put first. Returns how many there are, or -errno. */
static int fill_temporaries(struct image *image, const struct policy *policy)
{
	struct policy_header *header = &image->pages[0].header;
	size_t count = policy_temporaries(policy);

	for (size_t i = count; i < policy->rule_count; i++)
		if (policy->rules[i].until)
			return -EINVAL;
	if (count > MAX_TEMPORARIES)
		return -E2BIG;
	header->temporaries = (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		fill_rule(image, policy, &policy->rules[i], i);
		if (policy->rules[i].until > header->temporaries_end)
			header->temporaries_end = policy->rules[i].until;
	}
	return (int)count;
}

static void lay_out(struct image *image, const struct policy *policy, uint32_t binaries)
{
	struct policy_header header = {
		.layout = IMAGE_LAYOUT,
		.generation = policy->generation,
		.mode = policy->mode,
		.verdict = policy->verdict,
		.flags = policy_flags(policy),
		.binaries = binaries,
		.rules = (uint32_t)policy->rule_count,
		.names = (uint32_t)(policy->binary_count + policy->unknown_user_count),
	};

	memcpy(header.source, policy->source, sizeof(policy->source));
	image_append_pages(image, 1);
	header.binaries_page = image_append_pages(image, (binaries + BINARIES_PER_PAGE - 1) / BINARIES_PER_PAGE);
	header.rules_page = image_append_pages(image, (policy->rule_count + RULES_PER_PAGE - 1) / RULES_PER_PAGE);
	header.names_page = image_append_pages(image, header.names);
	image->pages[0].header = header;
}

/*
 * Fills in the lasting rules, from number `first` on, and builds their tables. Returns 0, or -EINVAL if the rules of one binary are not
 * side by side.
 */
static int build_rules(struct image *image, const struct policy *policy, size_t first)
{
	_cleanup_free_ const struct rule **sorted = must(calloc(policy->rule_count + 1, sizeof(const struct rule *)));
	_cleanup_free_ struct group *groups = must(calloc(policy->rule_count + 1, sizeof(*groups)));
	size_t count = 0;
	int error = 0;

	/* policy_normalise() has put the rules of one binary side by side, the highest rank first. */
	for (size_t i = 0; i < policy->rule_count; i++)
		sorted[i] = &policy->rules[i];
	for (size_t i = first, next; i < policy->rule_count && !error; i = next) {
		uint32_t number = policy->binaries[sorted[i]->binary].number;

		for (next = i; next < policy->rule_count && policy->binaries[sorted[next]->binary].number == number; next++)
			fill_rule(image, policy, sorted[next], next);
		groups[count] = (struct group){ number, &sorted[i], next - i };
		error = build_binary(image, &groups[count++], (uint32_t)i);
	}
	if (!error && policy_flags(policy))
		image_build_listen(image, groups, count);
	return error;
}

int image_build(const struct policy *policy, struct image *image)
{
	uint32_t binaries;
	int error = check_rules(policy);

	image_clear(image);
	if (!error)
		error = check_numbers(policy, &binaries);
	if (error)
		return error;
	lay_out(image, policy, binaries);
	fill_names(image, policy);
	error = fill_temporaries(image, policy);
	if (error >= 0)
		error = build_rules(image, policy, (size_t)error);
	if (error < 0) {
		image_clear(image);
		return error;
	}
	image->pages[0].header.pages = (uint32_t)image->count;
	return 0;
}
