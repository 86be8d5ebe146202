/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Builds the tables for listen(2).
 *
 * For each user whom a rule names, the rules that match this user are painted into a bitmap of ports, in the order in which they
 * decide. Only what a rule with this user allows can exceed what all others may do, so only those words of the bitmap are looked at.
 *
 * There can be many users whom only rules for `any` name. They are not gone through again for each binary: for each port, the number
 * of users who may accept there is kept, and the users whom the binary's own rules name too are taken out of it meanwhile.
 */
#include "policy/image_listen.h"

#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/grow.h"
#include "policy/numbers.h"

#define WORD_BITS 64
#define WORDS (PORT_BEYOND / WORD_BITS + 1)

/* A run of words in a bitmap. It is empty if `first` is above `last`. */
struct stretch {
	uint32_t first, last;
};
static const struct stretch nothing = { WORDS, 0 };

/* Bits enough to count as many users as a policy has rules. */
#define PLANES 18
_Static_assert(MAX_RULES < 1 << PLANES, "a policy's users can be counted");

/* How many users may accept on each port by the rules for `any`. Bit k of each port's number is in plane[k]. */
struct user_count {
	uint64_t plane[PLANES][WORDS];
	struct stretch stretch; /* where it isn't 0 */
};

struct listen_builder {
	struct image *image;
	const struct group *own, *any; /* rules of the binary and for `any`; both are the same for `any` itself, which does no harm */
	uint32_t *any_uids;
	size_t any_uid_count;
	enum protocol protocol; /* the listener's */
	struct user_count counts[PROTOCOLS];
	uint64_t decided[WORDS];
	uint64_t one[WORDS];    /* ports on which one user may accept */
	uint64_t found[WORDS];  /* ports on which some user may accept */
	struct stretch stretch; /* of `found`, where it isn't 0 */
};

static bool matches_protocol(const struct rule *rule, enum protocol protocol)
{
	return rule->port.protocol == PROTOCOL_ANY || rule->port.protocol == protocol;
}

/* Returns true if the rule decides for this user; a `uid` of NULL is a user whom no rule names. */
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

/* Widens `stretch` by the ports that rules with this user allow. */
static void widen_by_allowed(const struct group *group, uint32_t uid, enum protocol protocol, struct stretch *stretch)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct rule *rule = group->rules[i];
		const struct span span = span_of(&rule->port, LISTEN_FOR_SOME);

		if (rule->has_uid && rule->verdict == VERDICT_ALLOW && decides_for(rule, &uid, protocol))
			widen(stretch, span.first / WORD_BITS, span.last / WORD_BITS);
	}
}

/* Returns the bits of the span in this word, which it touches. */
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
 * Lets `rule` decide the ports that no rule has decided yet. A rule with a user can add ports to `found`; one without can only take
 * away what all users may do.
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

/* Paints the rules of the binary first: what one of them matches, no rule for `any` decides. */
static void paint_all(struct listen_builder *b, const uint32_t *uid, const struct stretch *within)
{
	clear_words(b->decided, within);
	paint_group(b, b->own, uid, within, b->found);
	paint_group(b, b->any, uid, within, b->found);
}

/* Adds a user to the counts of the ports on which rules for `any` let this user accept, or takes the user out of them if `subtract`. */
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

		/* Adds in columns, as on paper. */
		for (unsigned k = 0; k < PLANES && carry; k++) {
			uint64_t digit = count->plane[k][word];

			count->plane[k][word] = digit ^ carry;
			carry &= subtract ? ~digit : digit;
		}
	}
	widen(&count->stretch, within.first, within.last);
}

/* Does the same for each user whom both the rules of the binary and those for `any` name. */
static void count_shared(struct listen_builder *b, const uint32_t *uids, size_t uid_count, bool subtract)
{
	for (size_t i = 0; i < uid_count; i++)
		if (numbers_sorted_have(b->any_uids, b->any_uid_count, uids[i]))
			count_user(b, uids[i], subtract);
}

/* Finds what users may do whom no rule of the binary names: what rules for `any` allow them, and no rule of the binary decides. */
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

/* Takes away the ports on which everybody may accept: no table has to say so. */
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

/* Appends the runs of bits in `found` to *spans, which has `count` of them and can move. Returns how many it has then. */
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

/* Appends the ports on which rules let the binary listen for others, likewise. */
static size_t add_listens(const struct group *group, enum protocol protocol, struct span **spans, size_t count)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct rule *rule = group->rules[i];

		if (!rule_decides(rule) && matches_protocol(rule, protocol))
			APPEND(*spans, count, span_of(&rule->port, LISTEN_FOR_OTHERS));
	}
	return count;
}

/* Returns the page of the table for listeners of this protocol; 0: the table would be empty. */
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

/* Counts the users whom rules for `any` name, once for all binaries. */
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

/* Returns the tables of one binary. All protocols that no rule names share one table. */
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

/* Returns true if a rule has a user, or lets its binary listen for others. If none does, a table would say nothing. */
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
