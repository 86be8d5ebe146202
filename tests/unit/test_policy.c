/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests what `allow`, `deny` and `remove` do to a policy, and that the order of rules never matters.
 * Fails if policy/policy_edit.c replaces or removes too much or too little, if policy/policy_order.c depends on the order, or if one
 * directory entry becomes two binaries.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/policy.h"

static struct rule make(struct policy *policy, const char *path, uint16_t port, enum verdict verdict)
{
	struct rule rule = { .section = "s", .port = { port, port, 0 }, .verdict = verdict, .counter = COUNTER_NONE };

	rule.binary = policy_binary(policy, path);
	return rule;
}

static void test_replace_takes_the_last_word(void **unused)
{
	struct policy policy;
	struct rule rule;

	(void)unused;
	policy_init(&policy);
	rule = make(&policy, "/bin/a", 80, VERDICT_ALLOW);
	assert_true(policy_replace(&policy, &rule));
	assert_false(policy_replace(&policy, &rule));
	assert_int_equal(policy.rule_count, 1);
	rule.verdict = VERDICT_DENY;
	assert_true(policy_replace(&policy, &rule));
	assert_int_equal(policy.rule_count, 1);
	assert_int_equal(policy.rules[0].verdict, VERDICT_DENY);
	policy_clear(&policy);
}

static void test_replace_keeps_other_conditions(void **unused)
{
	struct policy policy;
	struct rule rule;

	(void)unused;
	policy_init(&policy);
	rule = make(&policy, "/bin/a", 80, VERDICT_ALLOW);
	policy_replace(&policy, &rule);
	rule.has_uid = true;
	rule.uid = 33;
	rule.verdict = VERDICT_DENY;
	assert_true(policy_replace(&policy, &rule));
	rule.port.protocol = PROTOCOL_TCP;
	assert_true(policy_replace(&policy, &rule));
	rule.port.last = 81;
	assert_true(policy_replace(&policy, &rule));
	assert_int_equal(policy.rule_count, 4);
	policy_clear(&policy);
}

static void test_replace_settles_a_contradiction(void **unused)
{
	struct policy policy;
	struct rule allow, deny;

	(void)unused;
	policy_init(&policy);
	allow = make(&policy, "/bin/a", 80, VERDICT_ALLOW);
	deny = make(&policy, "/bin/a", 80, VERDICT_DENY);
	policy_append(&policy, &allow);
	policy_append(&policy, &deny);
	assert_true(policy_replace(&policy, &allow));
	assert_int_equal(policy.rule_count, 1);
	assert_int_equal(policy.rules[0].verdict, VERDICT_ALLOW);
	policy_clear(&policy);
}

static void test_two_paths_of_one_entry_are_one_binary(void **unused)
{
	struct policy policy;
	struct rule a, b;

	(void)unused;
	policy_init(&policy);
	a = make(&policy, "/sbin/a", 80, VERDICT_ALLOW);
	b = make(&policy, "/usr/sbin/a", 80, VERDICT_DENY);
	policy.binaries[a.binary].resolved = strdup("/usr/sbin/a");
	policy.binaries[b.binary].resolved = strdup("/usr/sbin/a");
	policy_append(&policy, &a);
	assert_true(policy_replace(&policy, &b));
	assert_int_equal(policy.rule_count, 1);
	assert_int_equal(policy.rules[0].verdict, VERDICT_DENY);
	policy_clear(&policy);
}

/* REMOVE_MADE removes rules with any user; REMOVE_EXACT only those with exactly the user asked for. */
static void test_remove_leaves_what_files_say(void **unused)
{
	const struct port_item port = { 6379, 6379, 0 };
	const uint32_t uid = 33;
	struct policy policy;
	struct rule rule;
	size_t a;

	(void)unused;
	policy_init(&policy);
	rule = make(&policy, "/bin/a", 6379, VERDICT_ALLOW);
	a = rule.binary;
	rule.has_uid = true;
	rule.uid = 33;
	policy_append(&policy, &rule);
	rule = make(&policy, "/bin/a", 6379, VERDICT_DENY);
	strcpy(rule.section, CLI_SECTION);
	policy_append(&policy, &rule);
	rule.has_uid = true;
	rule.uid = 1;
	policy_append(&policy, &rule);
	assert_int_equal(policy_remove(&policy, a, &port, NULL, REMOVE_MADE), 2);
	assert_int_equal(policy_remove(&policy, a, &port, NULL, REMOVE_MADE), 0);
	assert_int_equal(policy_remove(&policy, a, &port, NULL, REMOVE_EXACT), 0);
	assert_int_equal(policy_remove(&policy, a, NULL, NULL, REMOVE_EXACT), 0);
	assert_int_equal(policy_remove(&policy, a, &port, &uid, REMOVE_MADE), 0);
	assert_int_equal(policy.rule_count, 1);
	assert_int_equal(policy_remove(&policy, a, &port, &uid, REMOVE_EXACT), 1);
	assert_int_equal(policy.rule_count, 0);
	policy_clear(&policy);
}

/* `listen` rules are kept apart from those that decide, and are sorted like them. */
static void test_listening_is_apart(void **unused)
{
	const struct port_item http = { 80, 80, 0 };
	struct policy policy, other;
	struct rule listen, allow;

	(void)unused;
	policy_init(&policy);
	policy_init(&other);
	listen = make(&policy, "/bin/a", 80, VERDICT_LISTEN);
	allow = make(&policy, "/bin/a", 80, VERDICT_ALLOW);
	strcpy(listen.section, CLI_SECTION);
	policy_append(&policy, &listen);
	assert_false(rule_same_request(&policy, &listen, &allow));
	assert_true(policy_replace(&policy, &allow));
	assert_false(policy_replace(&policy, &allow));
	allow.verdict = VERDICT_DENY;
	allow.port.first = 0;
	allow.port.last = 0;
	assert_true(policy_replace(&policy, &allow));
	policy_append(&policy, &listen);
	assert_int_equal(policy_normalise(&policy), 1);
	assert_int_equal(policy.rule_count, 3);
	assert_int_equal(policy.rules[0].verdict, VERDICT_ALLOW);
	assert_int_equal(policy.rules[1].verdict, VERDICT_DENY);
	assert_int_equal(policy.rules[2].verdict, VERDICT_LISTEN);

	allow = make(&other, "/bin/a", 80, VERDICT_ALLOW);
	policy_append(&other, &allow);
	policy_append(&other, &allow);
	other.rules[1].verdict = VERDICT_DENY;
	other.rules[1].port = (struct port_item){ 0 };
	policy_append(&other, &allow);
	other.rules[2].port = (struct port_item){ 81, 81, 0 };
	other.rules[2].verdict = VERDICT_LISTEN;
	policy_normalise(&other);
	assert_false(policy_same_rules(&policy, &other));
	other.rules[2].port = http;
	assert_true(policy_same_rules(&policy, &other));
	other.rules[2].verdict = VERDICT_ALLOW;
	assert_false(policy_same_rules(&policy, &other));

	assert_int_equal(policy_remove(&policy, listen.binary, &http, NULL, REMOVE_EXACT), 1);
	assert_int_equal(policy_remove(&policy, listen.binary, NULL, NULL, REMOVE_EXACT), 1);
	assert_int_equal(policy_remove(&policy, listen.binary, NULL, NULL, REMOVE_MADE), 0);
	assert_int_equal(policy.rule_count, 1);
	assert_int_equal(policy.rules[0].verdict, VERDICT_LISTEN);
	policy_clear(&policy);
	policy_clear(&other);
}

static void test_number_alike(void **unused)
{
	struct policy a, b;
	struct rule rule;

	(void)unused;
	policy_init(&a);
	policy_init(&b);
	rule = make(&a, "/bin/z", 1, VERDICT_ALLOW);
	policy_append(&a, &rule);
	rule = make(&a, "/sbin/a", 1, VERDICT_ALLOW);
	a.binaries[rule.binary].resolved = strdup("/usr/sbin/a");
	policy_append(&a, &rule);
	rule = make(&b, "/usr/sbin/a", 1, VERDICT_ALLOW);
	policy_append(&b, &rule);
	rule = make(&b, "any", 1, VERDICT_ALLOW);
	policy_append(&b, &rule);
	policy_normalise(&a);
	policy_normalise(&b);
	policy_number_alike(&a, &b);
	assert_int_equal(a.binaries[policy_binary(&a, "/bin/z")].number, 1);
	assert_int_equal(a.binaries[policy_binary(&a, "/sbin/a")].number, 2);
	assert_int_equal(b.binaries[policy_binary(&b, "/usr/sbin/a")].number, 2);
	assert_int_equal(b.binaries[policy_binary(&b, "any")].number, BINARY_ANY);
	policy_clear(&a);
	policy_clear(&b);
}

static void test_remove(void **unused)
{
	const struct port_item http = { 80, 80, 0 };
	const uint32_t uid = 33;
	struct policy policy;
	struct rule rule;
	size_t a;

	(void)unused;
	policy_init(&policy);
	rule = make(&policy, "/bin/a", 80, VERDICT_ALLOW);
	a = rule.binary;
	policy_append(&policy, &rule);
	rule.has_uid = true;
	rule.uid = 33;
	policy_append(&policy, &rule);
	rule.port.first = rule.port.last = 81;
	policy_append(&policy, &rule);
	rule = make(&policy, "/bin/b", 80, VERDICT_ALLOW);
	policy_append(&policy, &rule);

	assert_int_equal(policy_remove(&policy, a, &(struct port_item){ 82, 82, 0 }, NULL, REMOVE_EXACT), 0);
	assert_int_equal(policy_remove(&policy, a, &http, &uid, REMOVE_EXACT), 1);
	assert_int_equal(policy_remove(&policy, a, &http, NULL, REMOVE_EXACT), 1);
	assert_int_equal(policy_remove(&policy, a, NULL, NULL, REMOVE_EXACT), 0);
	assert_int_equal(policy_remove(&policy, a, NULL, &uid, REMOVE_EXACT), 1);
	assert_int_equal(policy.rule_count, 1);
	policy_normalise(&policy);
	assert_int_equal(policy.binary_count, 1);
	assert_string_equal(policy.binaries[0].path, "/bin/b");
	assert_int_equal(policy_binary(&policy, "/bin/b"), 0);
	policy_clear(&policy);
}

static void test_order_never_matters(void **unused)
{
	static const char *const paths[] = { "any", "/bin/b", "/bin/a" };
	struct policy forward, backward;

	(void)unused;
	policy_init(&forward);
	policy_init(&backward);
	for (int i = 0; i < 60; i++) {
		int back = 59 - i;
		struct rule rule = make(&forward, paths[i % 3], (uint16_t)(1 + i % 7), i % 2);

		policy_append(&forward, &rule);
		rule = make(&backward, paths[back % 3], (uint16_t)(1 + back % 7), back % 2);
		policy_append(&backward, &rule);
	}
	assert_int_equal(policy_normalise(&forward), policy_normalise(&backward));
	assert_int_equal(forward.rule_count, backward.rule_count);
	for (size_t i = 0; i < forward.rule_count; i++) {
		assert_string_equal(forward.binaries[forward.rules[i].binary].path, backward.binaries[backward.rules[i].binary].path);
		assert_int_equal(rule_rank(&forward.rules[i]), rule_rank(&backward.rules[i]));
		assert_int_equal(forward.rules[i].port.first, backward.rules[i].port.first);
	}
	assert_string_equal(forward.binaries[forward.binary_count - 1].path, "any");
	policy_clear(&forward);
	policy_clear(&backward);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replace_takes_the_last_word),
		cmocka_unit_test(test_replace_keeps_other_conditions),
		cmocka_unit_test(test_replace_settles_a_contradiction),
		cmocka_unit_test(test_two_paths_of_one_entry_are_one_binary),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_remove_leaves_what_files_say),
		cmocka_unit_test(test_listening_is_apart),
		cmocka_unit_test(test_number_alike),
		cmocka_unit_test(test_order_never_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
