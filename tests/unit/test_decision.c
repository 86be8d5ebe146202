/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decision header, as the kernel compiles it, on images of random policies, against an oracle that reads
 * the rules one after the other and knows nothing but the precedence as it is written down.
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
	if (rule->until && rule->until <= request->now)
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

		if (rule_matches(policy, rule, request) && (!best || beats(policy, rule, best)))
			best = rule;
	}
	return best;
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
	/* Two rules can be equal in rank, as overlapping ranges of one width: then only the verdict is promised. */
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

static bool same_rule(const struct policy *a, const struct rule *x, const struct policy *b, const struct rule *y)
{
	return !strcmp(a->binaries[x->binary].path, b->binaries[y->binary].path) &&
	       a->binaries[x->binary].number == b->binaries[y->binary].number && !strcmp(x->section, y->section) &&
	       x->port.first == y->port.first && x->port.last == y->port.last && x->port.protocol == y->port.protocol &&
	       x->verdict == y->verdict && x->has_uid == y->has_uid && (!x->has_uid || x->uid == y->uid) &&
	       x->counter == y->counter && x->until == y->until;
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
		policy.generation = 1ULL << random_below(60);
		assert_int_equal(image_build(&policy, &image), 0);
		assert_int_equal(image_read(image.pages, image.count, &back), 0);
		assert_int_equal(back.mode, policy.mode);
		assert_int_equal(back.verdict, policy.verdict);
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

/* Through a bind mount one directory entry has two paths, and another binary's may sort between them. */
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

/* One path, two entries: its directory was removed and made again between two rules. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_policies),
		cmocka_unit_test(test_image_reads_back),
		cmocka_unit_test(test_broken_images_are_refused),
		cmocka_unit_test(test_equal_tables_are_shared),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_two_paths_of_one_number),
		cmocka_unit_test(test_narrower_range_under_another_path),
		cmocka_unit_test(test_two_numbers_of_one_path),
		cmocka_unit_test(test_unidentified_binary_is_not_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
