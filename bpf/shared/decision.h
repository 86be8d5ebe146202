/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decision: which rule of a policy image decides a request.
 *
 * It reads nothing but the image and keeps nothing. It takes the same steps however many rules there are: one binary entry, then a
 * fixed number of table levels; and before that the temporary rules, whose number is bounded. Whoever includes this says first how to
 * get a page:
 *
 *   typedef ... policy_ref;                                              a whole policy
 *   static const struct policy_page *policy_page(policy_ref policy, __u32 number);   NULL: no such page
 *
 * So the same text is compiled into the BPF programs and into ordinary unit tests.
 */
#ifndef SOCKACCEPT_DECISION_H
#define SOCKACCEPT_DECISION_H

#include "compiler.h"
#include "image.h"

/* The best rule found so far. */
struct candidate {
	const struct rule_record *rule; /* NULL: none */
	__u32 rank;
};

/* Returns the cell for `port` below the PORT_ROOT_CELLS cells at `root`; 0: no rule. */
static __always_inline __u32 port_cell(policy_ref policy, const __u32 *root, __u32 port)
{
	const struct policy_page *page;
	__u32 cell, top = port >> PORT_TOP_SHIFT;

	FORGET(top);
	if (top > PORT_BEYOND_CELL)
		top = PORT_BEYOND_CELL;
	cell = root[top];
	if (!(cell & CELL_TABLE))
		return cell;
	page = policy_page(policy, cell & ~CELL_TABLE);
	if (!page)
		return 0;
	cell = page->cell[port >> 6 & (PAGE_CELLS - 1)];
	if (!(cell & CELL_TABLE))
		return cell;
	page = policy_page(policy, cell & ~CELL_TABLE);
	if (!page)
		return 0;
	return page->cell[port & (PAGE_CELLS - 1)];
}

static __always_inline const struct rule_record *rule_at(policy_ref policy, const struct policy_header *header, __u32 number)
{
	const struct policy_page *page = policy_page(policy, header->rules_page + number / RULES_PER_PAGE);

	return page ? &page->rule[number % RULES_PER_PAGE] : 0;
}

/* Takes the rule that the root cells at `root` lead to as candidate, if it outranks `best`. */
static __always_inline void consider_root(policy_ref policy, const struct policy_header *header, __u32 first_rule, const __u32 *root,
					  __u32 port, struct candidate *best)
{
	const struct rule_record *rule;
	__u32 cell = port_cell(policy, root, port);

	if (!cell)
		return;
	rule = rule_at(policy, header, first_rule + cell - 1);
	if (!rule)
		return;
	if (!best->rule || rule->rank > best->rank) {
		best->rule = rule;
		best->rank = rule->rank;
	}
}

/* Does the same with the root cells of page `table`; 0: there is no such table. */
static __always_inline void consider_table(policy_ref policy, const struct policy_header *header, __u32 first_rule, __u32 table, __u32 port,
					   struct candidate *best)
{
	const struct policy_page *page;

	if (!table)
		return;
	page = policy_page(policy, table);
	if (page)
		consider_root(policy, header, first_rule, page->cell, port, best);
}

/* Returns the scope of the rules that name user `uid`, from the radix table whose root is page `root`; NULL: there are none. */
static __always_inline const struct scope *user_scope(policy_ref policy, __u32 root, __u32 uid)
{
	const struct policy_page *page = policy_page(policy, root);
	__u32 cell;

	UNROLL
	for (int shift = UID_TOP_SHIFT; shift >= 0; shift -= 6) {
		if (!page)
			return 0;
		cell = page->cell[uid >> shift & (PAGE_CELLS - 1)];
		if (!(cell & CELL_TABLE))
			return 0;
		page = policy_page(policy, cell & ~CELL_TABLE);
	}
	return page ? &page->scope : 0;
}

/* Considers the table of the listener's protocol, if rules can name it. */
static __always_inline void consider_protocol(policy_ref policy, const struct policy_header *header, const struct scope *scope,
					      __u32 first_rule, const struct request *request, struct candidate *best)
{
	if (request->protocol != PROTOCOL_ANY)
		consider_table(policy, header, first_rule, scope->tables[request->protocol & (PROTOCOLS - 1)], request->port, best);
}

/* Considers the rules of one binary, or of `any`. */
static __always_inline void consider_binary(policy_ref policy, const struct policy_header *header, __u32 binary,
					    const struct request *request, struct candidate *best)
{
	const struct policy_page *page;
	const struct binary_entry *entry;
	const struct scope *scope;

	if (binary >= header->binaries)
		return;
	page = policy_page(policy, header->binaries_page + binary / BINARIES_PER_PAGE);
	if (!page)
		return;
	entry = &page->binary[binary % BINARIES_PER_PAGE];
	consider_root(policy, header, entry->first_rule, entry->root, request->port, best);
	consider_protocol(policy, header, &entry->anyone, entry->first_rule, request, best);
	if (!entry->by_user || request->anyone)
		return;
	scope = user_scope(policy, entry->by_user, request->uid);
	if (!scope)
		return;
	consider_table(policy, header, entry->first_rule, scope->tables[PROTOCOL_ANY], request->port, best);
	consider_protocol(policy, header, scope, entry->first_rule, request, best);
}

/* True if a temporary rule matches `request` and hasn't ended. */
static __always_inline bool is_passing(const struct rule_record *rule, const struct request *request)
{
	const struct rule_label *label = &rule->label;

	if (rule->until <= request->now || (rule->binary != BINARY_ANY && rule->binary != request->binary))
		return false;
	if (label->has_uid && (request->anyone || label->uid != request->uid))
		return false;
	if (label->protocol != PROTOCOL_ANY && label->protocol != request->protocol)
		return false;
	return !label->first || (label->first <= request->port && request->port <= label->last);
}

struct search {
	policy_ref policy;
	const struct policy_header *header;
	const struct request *request;
	__u32 found; /* 1 + the number of the rule; 0: none yet */
};

/* Tries one temporary rule. Returns 1 to stop. The first that matches decides, because they are sorted. */
static long try_temporary(__u32 number, struct search *search)
{
	const struct rule_record *rule = rule_at(search->policy, search->header, number);

	if (!rule)
		return 1;
	if (!is_passing(rule, search->request))
		return 0;
	search->found = number + 1;
	return 1;
}

static __always_inline const struct rule_record *decide_temporary(policy_ref policy, const struct policy_header *header,
								  const struct request *request)
{
	struct search search = { .policy = policy, .header = header, .request = request };

	REPEAT(header->temporaries, try_temporary, &search);
	return search.found ? rule_at(policy, header, search.found - 1) : 0;
}

/*
 * Returns the rule that decides `request`; NULL: the policy's default does. A temporary rule that hasn't ended beats all others. Then a
 * rule that names the binary beats every rule for `any`. Among the rules of one binary, the rank decides.
 */
static __attribute__((noinline)) const struct rule_record *decide(policy_ref policy, const struct policy_header *header,
								  const struct request *request)
{
	struct candidate best = { 0 };

	if (request->now) {
		const struct rule_record *temporary = decide_temporary(policy, header, request);

		if (temporary)
			return temporary;
	}
	if (request->binary != BINARY_ANY)
		consider_binary(policy, header, request->binary, request, &best);
	if (!best.rule)
		consider_binary(policy, header, BINARY_ANY, request, &best);
	return best.rule;
}

/* Tries one temporary rule. Returns 1 to stop: it lets some user accept, or it denies everybody, so that no later rule counts. */
static long try_temporary_for_some(__u32 number, struct search *search)
{
	const struct rule_record *rule = rule_at(search->policy, search->header, number);
	struct request request = *search->request;

	if (!rule)
		return 1;
	request.anyone = 0;
	request.uid = rule->label.uid;
	if (!is_passing(rule, &request))
		return 0;
	if (rule->label.verdict != VERDICT_ALLOW)
		return !rule->label.has_uid;
	search->found = number + 1;
	return 1;
}

/* Returns what the binary's `listen` says, or that of `any` if it has no rules of its own: enum listen_cell; 0: nothing. */
static __always_inline __u32 listen_cell(policy_ref policy, const struct policy_header *header, const struct request *request)
{
	__u32 binary = request->binary < header->binaries ? request->binary : BINARY_ANY;
	const struct policy_page *page = policy_page(policy, header->binaries_page + binary / BINARIES_PER_PAGE);
	__u32 table;

	if (page && !page->binary[binary % BINARIES_PER_PAGE].rules) {
		binary = BINARY_ANY;
		page = policy_page(policy, header->binaries_page);
	}
	if (!page)
		return LISTEN_FOR_OTHERS;
	table = page->binary[binary % BINARIES_PER_PAGE].listen.tables[request->protocol & (PROTOCOLS - 1)];
	if (!table)
		return 0;
	page = policy_page(policy, table);
	return page ? port_cell(policy, page->cell, request->port) : LISTEN_FOR_OTHERS;
}

/*
 * True if a binary may listen although an arbitrary user, whom no rule names, may not accept: because somebody else may, or because it
 * listens for others. `denied_by`: the rule that denies the arbitrary user; NULL: the default does.
 */
static __attribute__((noinline)) bool may_listen(policy_ref policy, const struct policy_header *header, const struct request *request,
						 const struct rule_record *denied_by)
{
	struct search search = { .policy = policy, .header = header, .request = request };
	__u32 cell;

	if (request->now)
		REPEAT(header->temporaries, try_temporary_for_some, &search);
	if (search.found)
		return true;
	cell = listen_cell(policy, header, request);
	/* A temporary rule beats lasting ones about accept(2). */
	return cell == LISTEN_FOR_OTHERS || (cell && !(denied_by && denied_by->until));
}

/*
 * True if a policy lets the binary of `request` accept on its port under no condition, whoever it runs as then, and has no rule by
 * which it listens there for others. *rule is then the one that denies; NULL: the default does. Sets request->anyone.
 */
static __always_inline bool denies_everyone(policy_ref policy, const struct policy_header *header, struct request *request,
					    const struct rule_record **rule)
{
	if (!header->flags) /* nothing is known about who may listen */
		return false;
	request->anyone = 1;
	*rule = decide(policy, header, request);
	return (*rule ? (*rule)->label.verdict : header->verdict) == VERDICT_DENY && !may_listen(policy, header, request, *rule);
}

#endif
