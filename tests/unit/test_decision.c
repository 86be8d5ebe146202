/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests the decision header, as the kernel compiles it, on images of random policies, against an oracle that reads the rules one after the
 * other and knows only the documented precedence. A binary may listen if that oracle lets some user accept.
 * Fails if bpf/shared/decision.h ranks rules otherwise, if policy/image_build.c or image_listen.c puts a rule in the wrong cell, or if
 * image_read.c accepts a broken image.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/decide.h"
#include "tests/unit/random.h"

static bool rule_matches(const struct policy *policy, const struct rule *rule, const struct request *request)
{
	uint32_t binary = policy->binaries[rule->binary].number;

	if (binary != BINARY_ANY && binary != request->binary)
		return false;
	if (rule->until && (rule->until <= request->now || !request->now))
		return false;
	if (rule->has_uid && rule->uid != request->uid)
		return false;
	if (rule->port.protocol != PROTOCOL_ANY && rule->port.protocol != request->protocol)
		return false;
	return !rule->port.first || (request->port >= rule->port.first && request->port <= rule->port.last);
}

static uint32_t port_count(const struct rule *rule)
{
	return rule->port.first ? rule->port.last - rule->port.first + 1U : 1U << 31;
}

/* DESIGN, "Which rule decides", sentence by sentence. */
static bool beats(const struct policy *policy, const struct rule *a, const struct rule *b)
{
	bool a_named = policy->binaries[a->binary].number != BINARY_ANY;
	bool b_named = policy->binaries[b->binary].number != BINARY_ANY;
	int a_conditions = (a->has_uid ? 1 : 0) + (a->port.protocol ? 1 : 0);
	int b_conditions = (b->has_uid ? 1 : 0) + (b->port.protocol ? 1 : 0);

	if ((a->until != 0) != (b->until != 0))
		return a->until != 0;
	if (a_named != b_named)
		return a_named;
	if (a_conditions != b_conditions)
		return a_conditions > b_conditions;
	if (port_count(a) != port_count(b))
		return port_count(a) < port_count(b);
	return a->verdict == VERDICT_DENY && b->verdict == VERDICT_ALLOW;
}

static const struct rule *oracle(const struct policy *policy, const struct request *request)
{
	const struct rule *best = NULL;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->verdict != VERDICT_LISTEN && rule_matches(policy, rule, request) && (!best || beats(policy, rule, best)))
			best = rule;
	}
	return best;
}

static bool oracle_accepts(const struct policy *policy, const struct request *request)
{
	const struct rule *rule = oracle(policy, request);

	return (rule ? rule->verdict : policy->verdict) == VERDICT_ALLOW;
}

/* A user whom no rule of random_policy() names. */
#define NOBODY 77

/* Returns true if some user may accept there, named by a rule or not. */
static bool oracle_some_accept(const struct policy *policy, struct request request)
{
	request.uid = NOBODY;
	if (oracle_accepts(policy, &request))
		return true;
	for (size_t i = 0; i < policy->rule_count; i++) {
		request.uid = policy->rules[i].uid;
		if (policy->rules[i].has_uid && oracle_accepts(policy, &request))
			return true;
	}
	return false;
}

/* Returns true if a rule with this verdict matches, whoever the user is. */
static bool some_match(const struct policy *policy, struct request request, enum verdict verdict)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		request.uid = rule->uid;
		if (rule->verdict == verdict && rule_matches(policy, rule, &request))
			return true;
	}
	return false;
}

static struct port_item random_item(void)
{
	static const uint16_t interesting[] = { 1, 22, 63, 64, 65, 80, 4095, 4096, 8000, 8099, 65471, 65472, 65534, 65535 };
	uint16_t a = interesting[random_below(14)], b = interesting[random_below(14)];
	struct port_item item = { 0 };

	if (random_below(4)) {
		item.first = a < b ? a : b;
		item.last = a < b ? b : a;
		if (random_below(2))
			item.last = item.first;
	}
	if (!random_below(3))
		item.protocol = (uint8_t)random_below(PROTOCOLS);
	return item;
}

static void random_policy(struct policy *policy, uint32_t rules)
{
	static const char *const paths[] = { "any", "/bin/a", "/bin/b", "/bin/c", "/bin/d" };
	static const uint32_t uids[] = { 0, 33, 1000, 1063, 1064, 262144, 4294967294U };

	for (uint32_t i = 0; i < rules; i++) {
		uint32_t binary = random_below(5);
		struct rule rule = {
			.section = "s",
			.binary = policy_binary(policy, paths[binary]),
			.port = random_item(),
			.verdict = (uint8_t)random_below(VERDICTS),
			.counter = i,
		};

		policy->binaries[rule.binary].number = binary * 9; /* entries on several pages */
		if (!random_below(3)) {
			rule.has_uid = true;
			rule.uid = uids[random_below(7)];
		}
		if (!random_below(4))
			rule.until = 1 + random_below(20);
		if (!random_below(8)) {
			rule.verdict = VERDICT_LISTEN;
			rule.has_uid = false;
			rule.uid = 0;
			rule.until = 0;
		}
		policy_append(policy, &rule);
	}
	policy_normalise(policy);
}

static struct request random_request(void)
{
	static const uint32_t ports[] = { 1, 2, 22, 63, 64, 80, 81, 4096, 8050, 65535, 65536, 70000, 0xffffffff };
	static const uint32_t uids[] = { 0, 1, 33, 1000, 1063, 1064, 262144, 4294967294U };

	return (struct request){
		.binary = random_below(6) * 9,
		.uid = uids[random_below(8)],
		.protocol = random_below(PROTOCOLS),
		.port = random_below(2) ? ports[random_below(13)] : 1 + random_below(65535),
		.now = 1 + random_below(24),
	};
}

static void check_request(const struct policy *policy, const struct image *image, const struct request *request)
{
	const struct rule *expected = oracle(policy, request);
	const struct rule_record *seen = decide_request(image, request);

	assert_int_equal(expected != NULL, seen != NULL);
	if (!expected)
		return;
	assert_int_equal(seen->label.verdict, expected->verdict);
	/* Two rules can have the same rank, such as overlapping ranges of one width: then only the verdict is certain. */
	assert_int_equal(seen->rank, rule_rank(expected));
}

static void test_random_policies(void **unused)
{
	(void)unused;
	for (int round = 0; round < 1500; round++) {
		struct image image = { 0 };
		struct policy policy;

		policy_init(&policy);
		random_policy(&policy, random_below(40));
		assert_int_equal(image_build(&policy, &image), 0);
		for (int i = 0; i < 300; i++) {
			struct request request = random_request();

			check_request(&policy, &image, &request);
		}
		image_clear(&image);
		policy_clear(&policy);
	}
}

/* Without temporary rules, a binary may listen exactly where some user may accept, or a rule says `listen`. */
static void check_listen(const struct policy *policy, const struct image *image, struct request request)
{
	bool expected, seen;

	request.now = 0;
	expected = oracle_some_accept(policy, request) || some_match(policy, request, VERDICT_LISTEN);
	seen = decide_listen(image, &request);
	assert_int_equal(seen, expected);
}

/* Returns true if a temporary rule for some user matches. */
static bool some_user_has_one(const struct policy *policy, struct request request)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		request.uid = rule->uid;
		if (rule->until && rule->has_uid && rule_matches(policy, rule, &request))
			return true;
	}
	return false;
}

/*
 * With temporary rules it is the same, but a temporary rule that denies one user alone doesn't count: it never takes away what others
 * may do.
 */
static void check_listen_now(const struct policy *policy, const struct image *image, struct request request)
{
	bool expected = oracle_some_accept(policy, request) || some_match(policy, request, VERDICT_LISTEN);
	bool seen = decide_listen(image, &request);

	if (expected || !some_user_has_one(policy, request))
		assert_int_equal(seen, expected);
}

/* Counts in `may` how often the binary may listen. */
static void check_listens(const struct policy *policy, const struct image *image, unsigned *may)
{
	for (int i = 0; i < 200; i++) {
		struct request request = random_request();

		check_listen(policy, image, request);
		check_listen_now(policy, image, request);
		*may += decide_listen(image, &request);
	}
}

static void test_who_may_listen(void **unused)
{
	unsigned may = 0;

	(void)unused;
	for (int round = 0; round < 2000; round++) {
		struct image image = { 0 };
		struct policy policy;

		policy_init(&policy);
		random_policy(&policy, random_below(round % 2 ? 40 : 8));
		policy.verdict = random_below(4) ? VERDICT_DENY : VERDICT_ALLOW;
		assert_int_equal(image_build(&policy, &image), 0);
		check_listens(&policy, &image, &may);
		image_clear(&image);
		policy_clear(&policy);
	}
	assert_in_range(may, 100000, 350000); /* of 400000 */
}

static bool same_rule(const struct policy *a, const struct rule *x, const struct policy *b, const struct rule *y)
{
	return !strcmp(a->binaries[x->binary].path, b->binaries[y->binary].path) &&
	       a->binaries[x->binary].number == b->binaries[y->binary].number && !strcmp(x->section, y->section) &&
	       x->port.first == y->port.first && x->port.last == y->port.last && x->port.protocol == y->port.protocol &&
	       x->verdict == y->verdict && x->has_uid == y->has_uid && (!x->has_uid || x->uid == y->uid) && x->counter == y->counter &&
	       x->until == y->until;
}

static void test_image_reads_back(void **unused)
{
	(void)unused;
	for (int round = 0; round < 300; round++) {
		struct image image = { 0 };
		struct policy policy, back;

		policy_init(&policy);
		policy_init(&back);
		random_policy(&policy, random_below(60));
		policy.mode = random_below(MODES);
		policy.verdict = random_below(VERDICTS);
		policy_set_flags(&policy, random_below(1U << SWITCHES));
		policy.generation = 1ULL << random_below(60);
		assert_int_equal(image_build(&policy, &image), 0);
		assert_int_equal(image_read(image.pages, image.count, &back), 0);
		assert_int_equal(back.mode, policy.mode);
		assert_int_equal(back.verdict, policy.verdict);
		assert_int_equal(policy_flags(&back), policy_flags(&policy));
		assert_true(back.generation == policy.generation);
		assert_int_equal(back.rule_count, policy.rule_count);
		for (size_t i = 0; i < policy.rule_count; i++)
			assert_true(same_rule(&policy, &policy.rules[i], &back, &back.rules[i]));
		image_clear(&image);
		policy_clear(&policy);
		policy_clear(&back);
	}
}

static void test_broken_images_are_refused(void **unused)
{
	struct image image = { 0 };
	struct policy policy, back;

	(void)unused;
	policy_init(&policy);
	policy_init(&back);
	random_policy(&policy, 20);
	assert_int_equal(image_build(&policy, &image), 0);
	assert_int_equal(image_read(image.pages, 0, &back), -EPROTO);
	assert_int_equal(image_read(image.pages, image.count - 1, &back), -EPROTO);
	image.pages[0].header.layout++;
	assert_int_equal(image_read(image.pages, image.count, &back), -EPROTO);
	image.pages[0].header.layout--;
	image.pages[image.pages[0].header.rules_page].rule[0].label.verdict = VERDICT_LISTEN + 1;
	assert_int_equal(image_read(image.pages, image.count, &back), -EPROTO);
	image.pages[image.pages[0].header.rules_page].rule[0].label.verdict = VERDICT_ALLOW;
	assert_int_equal(image_read(image.pages, image.count, &back), 0);
	image.pages[0].header.rules = UINT32_MAX;
	assert_int_equal(image_read(image.pages, image.count, &back), -EPROTO);
	image_clear(&image);
	policy_clear(&policy);
	policy_clear(&back);
}

/* The number of pages must not depend on the number of binaries with the same ports. */
static void test_equal_tables_are_shared(void **unused)
{
	struct image image = { 0 };
	struct policy policy;

	(void)unused;
	policy_init(&policy);
	for (uint32_t i = 0; i < 1000; i++) {
		struct rule rule = { .section = "s", .port = { 80, 80, 0 }, .counter = i };
		char path[32];

		snprintf(path, sizeof(path), "/bin/%u", i);
		rule.binary = policy_binary(&policy, path);
		policy.binaries[rule.binary].number = i + 1;
		policy_append(&policy, &rule);
	}
	policy_normalise(&policy);
	assert_int_equal(image_build(&policy, &image), 0);
	assert_int_equal(image.count, 1 + 501 + 500 + 1000 + 2);
	image_clear(&image);
	policy_clear(&policy);
}

static void test_limits(void **unused)
{
	struct image image = { 0 };
	struct rule rule = { .section = "s", .port = { 80, 80, 0 } };
	struct policy policy;

	(void)unused;
	policy_init(&policy);
	rule.binary = policy_binary(&policy, "/bin/a");
	rule.counter = RULE_COUNTERS;
	policy_append(&policy, &rule);
	assert_int_equal(image_build(&policy, &image), -EINVAL);
	policy.rules[0].counter = RULE_COUNTERS - 1;
	policy.binaries[0].number = MAX_BINARIES;
	assert_int_equal(image_build(&policy, &image), -EINVAL);
	policy.binaries[0].number = MAX_BINARIES - 1;
	assert_int_equal(image_build(&policy, &image), 0);
	image_clear(&image);
	policy_clear(&policy);
}

static void add(struct policy *policy, const char *path, uint32_t number, struct port_item port, enum verdict verdict)
{
	struct rule rule = { .section = "s", .port = port, .verdict = verdict, .counter = (uint32_t)policy->rule_count };

	rule.binary = policy_binary(policy, path);
	policy->binaries[rule.binary].number = number;
	policy_append(policy, &rule);
}

static enum verdict verdict_for(const struct image *image, uint32_t binary, uint32_t port)
{
	const struct request request = { .binary = binary, .protocol = PROTOCOL_TCP, .port = port };
	const struct rule_record *rule = decide_request(image, &request);

	return rule ? rule->label.verdict : VERDICTS;
}

static bool listens(const struct image *image, uint32_t binary, uint32_t port)
{
	struct request request = { .binary = binary, .protocol = PROTOCOL_TCP, .port = port };

	return decide_listen(image, &request);
}

/* A super-server listens for a program that accepts as a user of its own. Nobody else may listen there. */
static void test_listening_for_others(void **unused)
{
	struct image image = { 0 };
	struct policy policy;

	(void)unused;
	policy_init(&policy);
	policy.verdict = VERDICT_DENY;
	add(&policy, "/sbin/master", 1, (struct port_item){ 25, 25, 0 }, VERDICT_LISTEN);
	add(&policy, "/sbin/smtpd", 2, (struct port_item){ 25, 25, 0 }, VERDICT_ALLOW);
	policy.rules[1].has_uid = true;
	policy.rules[1].uid = 102;
	policy_normalise(&policy);
	assert_int_equal(image_build(&policy, &image), 0);
	assert_true(listens(&image, 1, 25));
	assert_true(listens(&image, 2, 25));
	assert_false(listens(&image, 1, 26));
	assert_false(listens(&image, 2, 26));
	assert_false(listens(&image, 3, 25));
	assert_int_equal(verdict_for(&image, 1, 25), VERDICTS);

	/* The gate and the drain ask too, even if listen(2) isn't judged. */
	policy.switches[SWITCH_JUDGE_LISTEN] = ANSWER_NO;
	assert_int_equal(image_build(&policy, &image), 0);
	assert_true(listens(&image, 3, 25));
	assert_true(decide_never(&image, &(struct request){ .binary = 3, .protocol = PROTOCOL_TCP, .port = 25 }));
	assert_false(decide_never(&image, &(struct request){ .binary = 1, .protocol = PROTOCOL_TCP, .port = 25 }));

	policy_set_flags(&policy, 0);
	assert_int_equal(image_build(&policy, &image), 0);
	assert_false(decide_never(&image, &(struct request){ .binary = 3, .protocol = PROTOCOL_TCP, .port = 25 }));
	/* An image of an earlier version doesn't have it. */
	assert_int_equal(image.pages[0].header.flags, 0);
	for (uint32_t i = 0; i < 3; i++)
		for (unsigned k = 0; k < PROTOCOLS; k++)
			assert_int_equal(image.pages[image.pages[0].header.binaries_page + i / 2].binary[i % 2].listen.tables[k], 0);
	image_clear(&image);
	policy_clear(&policy);
}

/* The tables leave out what everybody may do, and what nobody may. */
static void test_no_table_without_a_user(void **unused)
{
	struct image image = { 0 };
	struct policy policy;
	size_t pages;

	(void)unused;
	policy_init(&policy);
	add(&policy, "/a/x", 1, (struct port_item){ 80, 80, 0 }, VERDICT_ALLOW);
	add(&policy, "/a/x", 1, (struct port_item){ 0, 0, 0 }, VERDICT_DENY);
	policy_normalise(&policy);
	policy_set_flags(&policy, 0);
	assert_int_equal(image_build(&policy, &image), 0);
	pages = image.count;
	policy_set_flags(&policy, POLICY_JUDGES_LISTEN);
	assert_int_equal(image_build(&policy, &image), 0);
	assert_int_equal(image.count, pages);
	assert_true(listens(&image, 1, 80));
	assert_false(listens(&image, 1, 81));

	/* One user who may do what all may, and one who may do less. */
	add(&policy, "/a/x", 1, (struct port_item){ 80, 80, 0 }, VERDICT_ALLOW);
	add(&policy, "/a/x", 1, (struct port_item){ 80, 80, 0 }, VERDICT_DENY);
	for (size_t i = 2; i < 4; i++) {
		policy.rules[i].has_uid = true;
		policy.rules[i].uid = (uint32_t)i;
	}
	policy_normalise(&policy);
	assert_int_equal(image_build(&policy, &image), 0);
	for (unsigned i = 0; i < PROTOCOLS; i++)
		assert_int_equal(image.pages[image.pages[0].header.binaries_page].binary[1].listen.tables[i], 0);

	/* What the default allows everybody. */
	policy.rule_count = 0;
	policy.verdict = VERDICT_ALLOW;
	add(&policy, "/a/x", 1, (struct port_item){ 80, 80, 0 }, VERDICT_ALLOW);
	policy.rules[0].has_uid = true;
	assert_int_equal(image_build(&policy, &image), 0);
	assert_int_equal(image.pages[image.pages[0].header.binaries_page].binary[1].listen.tables[0], 0);
	policy.verdict = VERDICT_DENY;
	assert_int_equal(image_build(&policy, &image), 0);
	assert_int_not_equal(image.pages[image.pages[0].header.binaries_page].binary[1].listen.tables[0], 0);
	image_clear(&image);
	policy_clear(&policy);
}

/* A table can't say `listen` with a user, or for a time. */
static void test_listening_has_no_conditions(void **unused)
{
	struct image image = { 0 };
	struct policy policy;

	(void)unused;
	policy_init(&policy);
	add(&policy, "/a/x", 1, (struct port_item){ 80, 80, 0 }, VERDICT_LISTEN);
	policy.rules[0].has_uid = true;
	assert_int_equal(image_build(&policy, &image), -EINVAL);
	policy.rules[0].has_uid = false;
	policy.rules[0].until = 1;
	assert_int_equal(image_build(&policy, &image), -EINVAL);
	policy.rules[0].until = 0;
	assert_int_equal(image_build(&policy, &image), 0);
	image_clear(&image);
	policy_clear(&policy);
}

/* Through a bind mount, one directory entry has two paths, and another binary's path can sort between them. */
static void test_two_paths_of_one_number(void **unused)
{
	struct image image = { 0 };
	struct policy policy;

	(void)unused;
	policy_init(&policy);
	add(&policy, "/a/x", 1, (struct port_item){ 0, 0, 0 }, VERDICT_DENY);
	add(&policy, "/a/y", 2, (struct port_item){ 80, 80, 0 }, VERDICT_ALLOW);
	add(&policy, "/b/x", 1, (struct port_item){ 81, 81, 0 }, VERDICT_ALLOW);
	policy_normalise(&policy);
	assert_int_equal(image_build(&policy, &image), -EINVAL);
	policy_unify(&policy);
	policy_normalise(&policy);
	assert_int_equal(image_build(&policy, &image), 0);
	assert_int_equal(verdict_for(&image, 1, 81), VERDICT_ALLOW);
	assert_int_equal(verdict_for(&image, 1, 80), VERDICT_DENY);
	assert_int_equal(verdict_for(&image, 2, 80), VERDICT_ALLOW);
	assert_int_equal(verdict_for(&image, 2, 81), VERDICTS);
	image_clear(&image);
	policy_clear(&policy);
}

static void test_narrower_range_under_another_path(void **unused)
{
	struct image image = { 0 };
	struct policy policy;

	(void)unused;
	policy_init(&policy);
	add(&policy, "/a/x", 1, (struct port_item){ 0, 0, 0 }, VERDICT_ALLOW);
	add(&policy, "/b/x", 1, (struct port_item){ 4096, 8191, 0 }, VERDICT_DENY);
	policy_unify(&policy);
	policy_normalise(&policy);
	assert_int_equal(image_build(&policy, &image), 0);
	assert_int_equal(verdict_for(&image, 1, 5000), VERDICT_DENY);
	assert_int_equal(verdict_for(&image, 1, 80), VERDICT_ALLOW);
	image_clear(&image);
	policy_clear(&policy);
}

/* One path stands for two entries: its directory was removed and created again between two rules. */
static void test_two_numbers_of_one_path(void **unused)
{
	struct image image = { 0 };
	struct policy policy;

	(void)unused;
	policy_init(&policy);
	add(&policy, "/opt/app", 6, (struct port_item){ 0, 0, 0 }, VERDICT_ALLOW);
	add(&policy, "/opt/current", 5, (struct port_item){ 443, 443, 0 }, VERDICT_DENY);
	add(&policy, "/opt/app", 6, (struct port_item){ 80, 80, 0 }, VERDICT_DENY);
	policy.binaries[0].resolved = strdup("/opt/app");
	policy.binaries[1].resolved = strdup("/opt/app");
	policy_unify(&policy);
	policy_normalise(&policy);
	assert_int_equal(image_build(&policy, &image), 0);
	assert_int_equal(verdict_for(&image, 6, 80), VERDICT_DENY);
	assert_int_equal(verdict_for(&image, 6, 443), VERDICT_ALLOW);
	assert_int_equal(verdict_for(&image, 5, 443), VERDICT_DENY);
	image_clear(&image);
	policy_clear(&policy);
}

static void test_unidentified_binary_is_not_any(void **unused)
{
	struct image image = { 0 };
	struct policy policy;

	(void)unused;
	policy_init(&policy);
	add(&policy, "/a/x", BINARY_ANY, (struct port_item){ 0, 0, 0 }, VERDICT_ALLOW);
	assert_int_equal(image_build(&policy, &image), -EINVAL);
	policy_clear(&policy);
}

/* A rule that waits for its path or its user is in the image, and matches nobody. */
static void test_what_waits_matches_nobody(void **unused)
{
	struct rule rule = { .section = "s", .verdict = VERDICT_DENY, .has_uid = true, .uid = UID_NONE, .counter = COUNTER_NONE };
	struct policy policy, back;
	struct image image = { 0 };

	(void)unused;
	policy_init(&policy);
	policy_init(&back);
	add(&policy, "/a/x", 1, (struct port_item){ 80, 80, 0 }, VERDICT_ALLOW);
	add(&policy, "/gone/x", 2, (struct port_item){ 80, 80, 0 }, VERDICT_ALLOW);
	policy.binaries[1].waits = true;
	assert_int_equal(policy_unknown_user(&policy, "nobody-has-this"), 1);
	assert_int_equal(policy_unknown_user(&policy, "gone"), 2);
	assert_int_equal(policy_unknown_user(&policy, "late"), 3);
	rule.binary = 0;
	rule.unknown_user = 2;
	policy_append(&policy, &rule);
	rule.unknown_user = 3;
	policy_append(&policy, &rule);
	policy_append(&policy, &rule);
	policy_normalise(&policy);
	assert_int_equal(policy.rule_count, 4);
	assert_int_equal(policy.unknown_user_count, 2);
	assert_int_equal(image_build(&policy, &image), 0);
	assert_int_equal(verdict_for(&image, 1, 80), VERDICT_ALLOW);
	assert_int_equal(verdict_for(&image, 1, 81), VERDICTS);

	assert_int_equal(image_read(image.pages, image.count, &back), 0);
	assert_true(policy_same_rules(&policy, &back));
	assert_int_equal(back.binary_count, 2);
	assert_false(back.binaries[0].waits);
	assert_true(back.binaries[1].waits);
	assert_int_equal(back.binaries[1].number, 2);
	assert_null(rule_unknown_user(&back, &back.rules[2]));
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(rule_unknown_user(&back, &back.rules[i]), i ? "late" : "gone");

	/* It must never become a rule for anybody. */
	back.rules[0].uid = 0;
	assert_int_equal(image_build(&back, &image), -EINVAL);
	assert_int_equal(image_build(&policy, &image), 0);
	image.pages[image.pages[0].header.rules_page].rule[0].unknown_user = 1;
	assert_int_equal(image_read(image.pages, image.count, &back), -EPROTO);
	image.pages[image.pages[0].header.rules_page].rule[0].unknown_user = 4;
	assert_int_equal(image_read(image.pages, image.count, &back), -EPROTO);
	image_clear(&image);
	policy_clear(&policy);
	policy_clear(&back);
}

static void test_what_ends_next(void **unused)
{
	struct image image = { 0 };
	struct policy policy;

	(void)unused;
	policy_init(&policy);
	add(&policy, "/a/x", 1, (struct port_item){ 80, 80, 0 }, VERDICT_ALLOW);
	add(&policy, "/a/x", 1, (struct port_item){ 81, 81, 0 }, VERDICT_ALLOW);
	policy.rules[0].until = 300;
	policy.rules[1].until = 200;
	policy_normalise(&policy);
	assert_int_equal(image_build(&policy, &image), 0);
	assert_int_equal(decide_next_end(&image, 0), 200);
	assert_int_equal(decide_next_end(&image, 199), 200);
	assert_int_equal(decide_next_end(&image, 200), 300);
	assert_int_equal(decide_next_end(&image, 300), 0);
	assert_false(decide_denies_some(&image));

	add(&policy, "/a/x", 1, (struct port_item){ 82, 82, 0 }, VERDICT_DENY);
	policy_normalise(&policy);
	assert_int_equal(image_build(&policy, &image), 0);
	assert_true(decide_denies_some(&image));
	policy.mode = MODE_PERMISSIVE;
	assert_int_equal(image_build(&policy, &image), 0);
	assert_false(decide_denies_some(&image));
	policy_clear(&policy);

	policy_init(&policy);
	policy.verdict = VERDICT_DENY;
	assert_int_equal(image_build(&policy, &image), 0);
	assert_true(decide_denies_some(&image));
	assert_int_equal(decide_next_end(&image, 0), 0);
	image_clear(&image);
	policy_clear(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_policies),
		cmocka_unit_test(test_who_may_listen),
		cmocka_unit_test(test_listening_for_others),
		cmocka_unit_test(test_no_table_without_a_user),
		cmocka_unit_test(test_listening_has_no_conditions),
		cmocka_unit_test(test_what_ends_next),
		cmocka_unit_test(test_image_reads_back),
		cmocka_unit_test(test_broken_images_are_refused),
		cmocka_unit_test(test_equal_tables_are_shared),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_two_paths_of_one_number),
		cmocka_unit_test(test_narrower_range_under_another_path),
		cmocka_unit_test(test_two_numbers_of_one_path),
		cmocka_unit_test(test_unidentified_binary_is_not_any),
		cmocka_unit_test(test_what_waits_matches_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
