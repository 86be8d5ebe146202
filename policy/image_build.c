/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compiles a policy into its image.
 *
 * A table is built by asking of each cell's range of ports which rule decides there: rules are tried in
 * the order of their rank, so that the first one which touches the range is the answer if it covers it,
 * and a reason to go one level down if it doesn't. Pages that came out equal are stored once.
 */
#include "policy/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"

void image_clear(struct image *image)
{
	free(image->pages);
	free(image->index);
	*image = (struct image){ 0 };
}

/* Appends `count` zeroed pages; returns the number of the first. */
static uint32_t append_pages(struct image *image, size_t count)
{
	size_t first = image->count;

	if (image->count + count > image->room) {
		image->room = 2 * image->room > image->count + count ? 2 * image->room : image->count + count + 16;
		image->pages = must(reallocarray(image->pages, image->room, sizeof(*image->pages)));
	}
	memset(&image->pages[first], 0, count * sizeof(*image->pages));
	image->count += count;
	return (uint32_t)first;
}

static size_t page_hash(const struct policy_page *page)
{
	uint64_t hash = 14695981039346656037ULL; /* FNV-1a, a word at a time */

	for (size_t i = 0; i < PAGE_CELLS; i++)
		hash = (hash ^ page->cell[i]) * 1099511628211ULL;
	return (size_t)(hash ^ hash >> 32);
}

/* Where `page`, or the free place for it, is in the index. */
static uint32_t *index_place(const struct image *image, const struct policy_page *page)
{
	size_t place = page_hash(page) & (image->index_room - 1);

	while (image->index[place] && memcmp(&image->pages[image->index[place]], page, sizeof(*page)) != 0)
		place = (place + 1) & (image->index_room - 1);
	return &image->index[place];
}

static void grow_index(struct image *image)
{
	uint32_t *old = image->index;
	size_t old_room = image->index_room;

	image->index_room = old_room ? 2 * old_room : 1024;
	image->index = must(calloc(image->index_room, sizeof(*image->index)));
	for (size_t i = 0; i < old_room; i++)
		if (old[i])
			*index_place(image, &image->pages[old[i]]) = old[i];
	free(old);
}

/* The number of a page equal to `page`, added if there is none. Page 0 is the header, so 0 is free to mean none. */
static uint32_t intern_page(struct image *image, const struct policy_page *page)
{
	uint32_t *place;

	if (2 * image->count >= image->index_room)
		grow_index(image);
	place = index_place(image, page);
	if (!*place) {
		uint32_t number = append_pages(image, 1);

		image->pages[number] = *page;
		*place = number;
	}
	return *place;
}

/* A rule as a table is built from it; `cell` is what a table says for it. */
struct span {
	uint32_t first, last; /* ports; `any` reaches up to the ports beyond 65535 */
	uint32_t cell;
};

/* The spans that touch [first, last], down to the first that covers it, into `touching`. Returns how many. */
static size_t filter_spans(const struct span *spans, size_t count, uint32_t first, uint32_t last, struct span *touching)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		if (spans[i].last < first || spans[i].first > last)
			continue;
		touching[found++] = spans[i];
		if (spans[i].first <= first && spans[i].last >= last)
			break;
	}
	return found;
}

static uint32_t build_table(struct image *image, const struct span *spans, size_t count, uint32_t base, unsigned shift);

/* The cell for the ports [first, first + 2^shift). */
static uint32_t build_cell(struct image *image, const struct span *spans, size_t count, uint32_t first, unsigned shift,
			   struct span *scratch)
{
	uint32_t last = first + (1U << shift) - 1;
	size_t touching = filter_spans(spans, count, first, last, scratch);

	if (!touching)
		return 0;
	if (scratch[0].first <= first && scratch[0].last >= last)
		return scratch[0].cell;
	return CELL_TABLE | build_table(image, scratch, touching, first, shift - 6);
}

/* The page of the table for ports from `base` on, 2^shift a cell. `spans`: the highest rank first. */
static uint32_t build_table(struct image *image, const struct span *spans, size_t count, uint32_t base, unsigned shift)
{
	struct policy_page page = { 0 };
	struct span *scratch = must(calloc(count, sizeof(*scratch)));

	for (uint32_t i = 0; i < PAGE_CELLS; i++)
		page.cell[i] = build_cell(image, spans, count, base + (i << shift), shift, scratch);
	free(scratch);
	return intern_page(image, &page);
}

/* The first level. */
static void build_root(struct image *image, const struct span *spans, size_t count, uint32_t *root)
{
	struct span *scratch = must(calloc(count + 1, sizeof(*scratch)));

	for (uint32_t i = 0; i < PORT_BEYOND_CELL; i++)
		root[i] = build_cell(image, spans, count, i << PORT_TOP_SHIFT, PORT_TOP_SHIFT, scratch);
	root[PORT_BEYOND_CELL] = build_cell(image, spans, count, 0x10000, 0, scratch);
	free(scratch);
}

/* The rules of one binary, in the order of the image: the highest rank first. */
struct group {
	const struct rule **rules;
	size_t count;
};

static bool in_scope(const struct rule *rule, const uint32_t *uid, enum protocol protocol)
{
	if (rule->port.protocol != protocol || rule->has_uid != (uid != NULL))
		return false;
	return !uid || rule->uid == *uid;
}

/*
 * The root cells of the group's rules with exactly this user (NULL: none) and protocol. Returns false, with
 * `root` untouched, if there are none.
 */
static bool build_scope_root(struct image *image, const struct group *group, const uint32_t *uid,
			     enum protocol protocol, uint32_t *root)
{
	struct span *spans = must(calloc(group->count, sizeof(*spans)));
	size_t count = 0;

	for (size_t i = 0; i < group->count; i++) {
		const struct port_item *port = &group->rules[i]->port;

		if (!in_scope(group->rules[i], uid, protocol))
			continue;
		spans[count++] = (struct span){ port->first, port->first ? port->last : 0x10000, (uint32_t)i + 1 };
	}
	if (count)
		build_root(image, spans, count, root);
	free(spans);
	return count != 0;
}

/* The tables of one user (NULL: none), from that of protocol `first` on. */
static void build_scope(struct image *image, const struct group *group, const uint32_t *uid, enum protocol first,
			struct scope *scope)
{
	for (unsigned protocol = first; protocol < PROTOCOLS; protocol++) {
		struct policy_page page = { 0 };

		if (build_scope_root(image, group, uid, protocol, page.cell))
			scope->tables[protocol] = intern_page(image, &page);
	}
}

static int compare_uids(const void *a, const void *b)
{
	uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;

	return (first > second) - (first < second);
}

/* The distinct users of the group's rules, sorted, into *uids (to be freed). Returns how many. */
static size_t group_uids(const struct group *group, uint32_t **uids)
{
	size_t count = 0, distinct = 0;

	*uids = must(calloc(group->count, sizeof(**uids)));
	for (size_t i = 0; i < group->count; i++)
		if (group->rules[i]->has_uid)
			(*uids)[count++] = group->rules[i]->uid;
	qsort(*uids, count, sizeof(**uids), compare_uids);
	for (size_t i = 0; i < count; i++)
		if (!i || (*uids)[i] != (*uids)[distinct - 1])
			(*uids)[distinct++] = (*uids)[i];
	return distinct;
}

/* A level of the radix table over `uids`, all equal above `shift` + 6. `pages[i]`: the scope page of uids[i]. */
static uint32_t build_user_table(struct image *image, const uint32_t *uids, const uint32_t *pages, size_t count,
				 unsigned shift)
{
	struct policy_page page = { 0 };

	for (size_t i = 0, next; i < count; i = next) {
		uint32_t digit = uids[i] >> shift & (PAGE_CELLS - 1);

		for (next = i; next < count && (uids[next] >> shift & (PAGE_CELLS - 1)) == digit;)
			next++;
		page.cell[digit] = CELL_TABLE | (shift ? build_user_table(image, uids + i, pages + i, next - i, shift - 6)
						       : pages[i]);
	}
	return intern_page(image, &page);
}

/* The root page of the radix table over the users of the group's rules; 0: none has a user. */
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
		pages[i] = intern_page(image, &page);
	}
	root = build_user_table(image, uids, pages, count, UID_TOP_SHIFT);
	free(uids);
	free(pages);
	return root;
}

/* Returns -EINVAL if the binary has rules elsewhere, too: they were not side by side. */
static int build_binary(struct image *image, const struct group *group, uint32_t binary, uint32_t first_rule)
{
	struct binary_entry entry = { .first_rule = first_rule };
	uint32_t page = image->pages[0].header.binaries_page + binary / BINARIES_PER_PAGE;

	build_scope_root(image, group, NULL, PROTOCOL_ANY, entry.root);
	build_scope(image, group, NULL, PROTOCOL_ANY + 1, &entry.anyone);
	entry.by_user = build_users(image, group);
	entry.rules = (uint32_t)group->count;
	if (image->pages[page].binary[binary % BINARIES_PER_PAGE].rules)
		return -EINVAL;
	image->pages[page].binary[binary % BINARIES_PER_PAGE] = entry;
	return 0;
}

static void fill_rule(struct image *image, const struct rule *rule, size_t number)
{
	uint32_t page = image->pages[0].header.rules_page + (uint32_t)number / RULES_PER_PAGE;
	struct rule_record *record = &image->pages[page].rule[number % RULES_PER_PAGE];

	record->rank = rule_rank(rule);
	record->counter = rule->counter;
	record->name = (uint32_t)rule->binary;
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
	for (size_t i = 0; i < policy->binary_count; i++) {
		struct name_record *record = &image->pages[image->pages[0].header.names_page + i].name;

		record->binary = policy->binaries[i].number;
		strncpy(record->path, policy->binaries[i].path, NAME_MAX_BYTES);
	}
}

/* Sets *binaries to the highest number + 1. */
static int check_numbers(const struct policy *policy, uint32_t *binaries)
{
	*binaries = 1;
	if (policy->rule_count > MAX_RULES)
		return -E2BIG;
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].counter >= RULE_COUNTERS && policy->rules[i].counter != COUNTER_NONE)
			return -EINVAL;
	for (size_t i = 0; i < policy->binary_count; i++) {
		const struct binary *binary = &policy->binaries[i];

		if (binary->number >= MAX_BINARIES || strlen(binary->path) > NAME_MAX_BYTES)
			return -EINVAL;
		/* A rule for a binary that wasn't identified must never become one for all. */
		if ((binary->number == BINARY_ANY) != !strcmp(binary->path, "any"))
			return -EINVAL;
		if (binary->number >= *binaries)
			*binaries = binary->number + 1;
	}
	return 0;
}

/* The temporary rules, which policy_normalise() has put first. Returns how many, or -errno. */
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
		fill_rule(image, &policy->rules[i], i);
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
		.binaries = binaries,
		.rules = (uint32_t)policy->rule_count,
		.names = (uint32_t)policy->binary_count,
	};

	append_pages(image, 1);
	header.binaries_page = append_pages(image, (binaries + BINARIES_PER_PAGE - 1) / BINARIES_PER_PAGE);
	header.rules_page = append_pages(image, (policy->rule_count + RULES_PER_PAGE - 1) / RULES_PER_PAGE);
	header.names_page = append_pages(image, policy->binary_count);
	image->pages[0].header = header;
}

int image_build(const struct policy *policy, struct image *image)
{
	const struct rule **sorted;
	uint32_t binaries;
	int error = check_numbers(policy, &binaries), temporaries;

	image_clear(image);
	if (error)
		return error;
	lay_out(image, policy, binaries);
	fill_names(image, policy);
	temporaries = fill_temporaries(image, policy);
	if (temporaries < 0) {
		image_clear(image);
		return temporaries;
	}

	/* policy_normalise() has put the rules of one binary side by side, the highest rank first. */
	sorted = must(calloc(policy->rule_count + 1, sizeof(const struct rule *)));
	for (size_t i = 0; i < policy->rule_count; i++)
		sorted[i] = &policy->rules[i];
	for (size_t i = (size_t)temporaries, next; i < policy->rule_count; i = next) {
		uint32_t number = policy->binaries[sorted[i]->binary].number;
		struct group group;

		for (next = i; next < policy->rule_count && policy->binaries[sorted[next]->binary].number == number; next++)
			fill_rule(image, sorted[next], next);
		group = (struct group){ &sorted[i], next - i };
		error = build_binary(image, &group, number, (uint32_t)i);
		if (error)
			break;
	}
	free(sorted);
	if (error) {
		image_clear(image);
		return error;
	}
	image->pages[0].header.pages = (uint32_t)image->count;
	return 0;
}
