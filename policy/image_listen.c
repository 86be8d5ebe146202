/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For each user whom a rule names, the rules that match this user are painted into a bitmap of ports, in the order in which they
 * decide. Only what a rule with this user allows can be more than what others have, and only the words of the bitmap are looked
 * at in which there is some of that.
 *
 * Users whom only rules for `any` name, of whom there can be many, are not gone through again for each binary. What they may do
 * is known as a number of users for each port, from which those are taken for a while whom the binary's own rules name too.
 */
#include "policy/image_listen.h"

#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/grow.h"
#include "policy/numbers.h"

#define WORD_BITS 64
#define WORDS (PORT_BEYOND / WORD_BITS + 1)

/* Words of a bitmap; none, if `first` is above `last`. */
struct stretch {
	uint32_t first, last;
};
static const struct stretch nothing = { WORDS, 0 };

/* Enough for as many users as a policy has rules. */
#define PLANES 18
_Static_assert(MAX_RULES < 1 << PLANES, "a policy's users can be counted");

/* How many users may accept on a port by the rules for `any`: bit k of the number for each port is in plane[k]. */
struct user_count {
	uint64_t plane[PLANES][WORDS];
	struct stretch stretch; /* where it isn't 0 */
};

struct listen_builder {
	struct image *image;
	const struct group *own, *any; /* the rules of the binary, and those for `any`: the same for `any` itself, which changes nothing */
	uint32_t *any_uids;
	size_t any_uid_count;
	enum protocol protocol; /* the listener's */
	struct user_count counts[PROTOCOLS];
	uint64_t decided[WORDS];
	uint64_t one[WORDS];   /* ports on which one user may accept */
	uint64_t found[WORDS]; /* ports on which some user may accept */
	struct stretch stretch;  /* of `found`, where it isn't 0 */
};

static bool matches_protocol(const struct rule *rule, enum protocol protocol)
{
	return rule->port.protocol == PROTOCOL_ANY || rule->port.protocol == protocol;
}

/* `uid`: NULL for a user whom no rule names. */
static bool decides_for(const struct rule *rule, const uint32_t *uid, enum protocol protocol)
{
	return rule_decides(rule) && matches_protocol(rule, protocol) && (!rule->has_uid || (uid && rule->uid == *uid));
}

static void widen(struct stretch *stretch, uint32_t first, uint32_t last)
{
	if (first < stretch->first)
		stretch->first = first;
	if (last > stretch->last)
		stretch->last = last;
}

/* Widens `stretch` by what rules with this user allow. */
static void widen_by_allowed(const struct group *group, uint32_t uid, enum protocol protocol, struct stretch *stretch)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct rule *rule = group->rules[i];
		const struct span span = span_of(&rule->port, LISTEN_FOR_SOME);

		if (rule->has_uid && rule->verdict == VERDICT_ALLOW && decides_for(rule, &uid, protocol))
			widen(stretch, span.first / WORD_BITS, span.last / WORD_BITS);
	}
}

/* The bits of the span in this word, which it touches. */
static uint64_t bits_of(const struct span *span, uint32_t word)
{
	uint64_t bits = UINT64_MAX;

	if (span->first / WORD_BITS == word)
		bits &= UINT64_MAX << span->first % WORD_BITS;
	if (span->last / WORD_BITS == word)
		bits &= UINT64_MAX >> (WORD_BITS - 1 - span->last % WORD_BITS);
	return bits;
}

/*
 * Ports that nothing has decided yet are decided by `rule` now. With a user it can add to `found`; without, only take away what
 * all may.
 */
static void paint(struct listen_builder *b, const struct rule *rule, const uint32_t *uid, const struct stretch *within, uint64_t *found)
{
	const struct span span = span_of(&rule->port, LISTEN_FOR_SOME);
	uint32_t word = span.first / WORD_BITS, last = span.last / WORD_BITS;

	if (word < within->first)
		word = within->first;
	if (last > within->last)
		last = within->last;
	for (; word <= last; word++) {
		uint64_t fresh = bits_of(&span, word) & ~b->decided[word];

		b->decided[word] |= fresh;
		if (rule->verdict == VERDICT_ALLOW && rule->has_uid)
			found[word] |= fresh;
		else if (rule->verdict == VERDICT_ALLOW && !uid)
			found[word] &= ~fresh;
	}
}

static void paint_group(struct listen_builder *b, const struct group *group, const uint32_t *uid, const struct stretch *within,
			uint64_t *found)
{
	for (size_t i = 0; i < group->count; i++)
		if (decides_for(group->rules[i], uid, b->protocol))
			paint(b, group->rules[i], uid, within, found);
}

static void clear_words(uint64_t *words, const struct stretch *within)
{
	if (within->first <= within->last)
		memset(&words[within->first], 0, (within->last - within->first + 1) * sizeof(*words));
}

/* What a rule of the binary matches, none for `any` decides. */
static void paint_all(struct listen_builder *b, const uint32_t *uid, const struct stretch *within)
{
	clear_words(b->decided, within);
	paint_group(b, b->own, uid, within, b->found);
	paint_group(b, b->any, uid, within, b->found);
}

/* Adds a user to the count, or with `subtract` takes the user away, on the ports on which rules for `any` let this one accept. */
static void count_user(struct listen_builder *b, uint32_t uid, bool subtract)
{
	struct user_count *count = &b->counts[b->protocol];
	struct stretch within = nothing;

	widen_by_allowed(b->any, uid, b->protocol, &within);
	clear_words(b->decided, &within);
	clear_words(b->one, &within);
	paint_group(b, b->any, &uid, &within, b->one);
	for (uint32_t word = within.first; word <= within.last; word++) {
		uint64_t carry = b->one[word];

		/* To count in columns, as on paper. */
		for (unsigned k = 0; k < PLANES && carry; k++) {
			uint64_t digit = count->plane[k][word];

			count->plane[k][word] = digit ^ carry;
			carry &= subtract ? ~digit : digit;
		}
	}
	widen(&count->stretch, within.first, within.last);
}

/* The same for each user whom both the rules of the binary and those for `any` name. */
static void count_shared(struct listen_builder *b, const uint32_t *uids, size_t uid_count, bool subtract)
{
	for (size_t i = 0; i < uid_count; i++)
		if (numbers_sorted_have(b->any_uids, b->any_uid_count, uids[i]))
			count_user(b, uids[i], subtract);
}

/* What users may whom no rule of the binary names: of what rules for `any` allow them, what no rule of the binary decides. */
static void find_for_other_users(struct listen_builder *b, const uint32_t *uids, size_t uid_count)
{
	struct user_count *count = &b->counts[b->protocol];

	count_shared(b, uids, uid_count, true);
	clear_words(b->decided, &count->stretch);
	paint_group(b, b->own, NULL, &count->stretch, b->found);
	for (uint32_t word = count->stretch.first; word <= count->stretch.last; word++)
		for (unsigned k = 0; k < PLANES; k++)
			b->found[word] |= count->plane[k][word] & ~b->decided[word];
	widen(&b->stretch, count->stretch.first, count->stretch.last);
	count_shared(b, uids, uid_count, false);
}

static void find_for_user(struct listen_builder *b, uint32_t uid)
{
	struct stretch within = nothing;

	widen_by_allowed(b->own, uid, b->protocol, &within);
	widen_by_allowed(b->any, uid, b->protocol, &within);
	paint_all(b, &uid, &within);
	widen(&b->stretch, within.first, within.last);
}

/* Takes away what is allowed to everybody: no table has to say so. */
static void drop_what_all_may(struct listen_builder *b)
{
	paint_all(b, NULL, &b->stretch);
	if (b->image->pages[0].header.verdict != VERDICT_ALLOW)
		return;
	for (uint32_t word = b->stretch.first; word <= b->stretch.last; word++)
		b->found[word] &= b->decided[word];
}

static bool is_found(const struct listen_builder *b, uint32_t port)
{
	return b->found[port / WORD_BITS] >> port % WORD_BITS & 1;
}

/* The runs of bits, behind the spans that are there. Returns how many there are then; room for them comes from *spans, which moves. */
static size_t add_found(const struct listen_builder *b, struct span **spans, size_t count)
{
	uint32_t end = (b->stretch.last + 1) * WORD_BITS;

	for (uint32_t port = b->stretch.first * WORD_BITS, first; port < end; port++) {
		if (!b->found[port / WORD_BITS]) {
			port |= WORD_BITS - 1;
			continue;
		}
		if (!is_found(b, port))
			continue;
		for (first = port; port + 1 < end && is_found(b, port + 1);)
			port++;
		APPEND(*spans, count, ((struct span){ first, port, LISTEN_FOR_SOME }));
	}
	return count;
}

/* The ports on which rules let the binary listen for others. */
static size_t add_listens(const struct group *group, enum protocol protocol, struct span **spans, size_t count)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct rule *rule = group->rules[i];

		if (!rule_decides(rule) && matches_protocol(rule, protocol))
			APPEND(*spans, count, span_of(&rule->port, LISTEN_FOR_OTHERS));
	}
	return count;
}

/* The page of the table for listeners of this protocol; 0: it would be empty. */
static uint32_t build_protocol(struct listen_builder *b, enum protocol protocol, const uint32_t *uids, size_t uid_count)
{
	struct policy_page page = { 0 };
	struct span *spans = NULL;
	size_t count;

	b->protocol = protocol;
	b->stretch = nothing;
	memset(b->found, 0, sizeof(b->found));
	for (size_t i = 0; i < uid_count; i++)
		find_for_user(b, uids[i]);
	if (b->own != b->any)
		find_for_other_users(b, uids, uid_count);
	drop_what_all_may(b);
	count = add_listens(b->own, protocol, &spans, 0);
	count = add_listens(b->any, protocol, &spans, count);
	count = add_found(b, &spans, count);
	if (count)
		image_build_root(b->image, spans, count, page.cell);
	free(spans);
	return count ? image_intern_page(b->image, &page) : 0;
}

/* Those whom rules for `any` name, for all binaries. */
static void count_users(struct listen_builder *b)
{
	for (unsigned protocol = PROTOCOL_ANY; protocol < PROTOCOLS; protocol++) {
		b->protocol = protocol;
		b->counts[protocol].stretch = nothing;
		for (size_t i = 0; i < b->any_uid_count; i++)
			count_user(b, b->any_uids[i], false);
	}
}

static bool has_protocol(const struct group *group, enum protocol protocol)
{
	for (size_t i = 0; i < group->count; i++)
		if (group->rules[i]->port.protocol == protocol)
			return true;
	return false;
}

/* The tables of one binary. A protocol that no rule names has that of those which none can name. */
static struct scope build_tables(struct listen_builder *b)
{
	struct scope scope = { 0 };
	uint32_t *uids;
	size_t count = group_uids(b->own, &uids);

	for (unsigned protocol = PROTOCOL_ANY; protocol < PROTOCOLS; protocol++) {
		if (protocol == PROTOCOL_ANY || has_protocol(b->own, protocol) || has_protocol(b->any, protocol))
			scope.tables[protocol] = build_protocol(b, protocol, uids, count);
		else
			scope.tables[protocol] = scope.tables[PROTOCOL_ANY];
	}
	free(uids);
	return scope;
}

/* True if a rule has a user, or lets its binary listen for others: without, there is nothing that a table could say. */
static bool says_more(const struct group *group)
{
	for (size_t i = 0; i < group->count; i++)
		if (group->rules[i]->has_uid || !rule_decides(group->rules[i]))
			return true;
	return false;
}

void image_build_listen(struct image *image, const struct group *groups, size_t count)
{
	static const struct group none;
	const struct group *any = count && groups[count - 1].binary == BINARY_ANY ? &groups[count - 1] : &none;
	struct listen_builder *b = must(calloc(1, sizeof(*b)));
	bool any_says = says_more(any);

	b->image = image;
	b->any = any;
	b->any_uid_count = group_uids(any, &b->any_uids);
	count_users(b);
	for (size_t i = 0; i < count; i++) {
		uint32_t page = image->pages[0].header.binaries_page + groups[i].binary / BINARIES_PER_PAGE;
		struct scope scope;

		if (!any_says && !says_more(&groups[i]))
			continue;
		b->own = &groups[i];
		scope = build_tables(b);
		image->pages[page].binary[groups[i].binary % BINARIES_PER_PAGE].listen = scope;
	}
	free(b->any_uids);
	free(b);
}
