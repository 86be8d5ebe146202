/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests which rules overrule a new one, and whether it has any effect, on random policies, against an oracle that tries every request of a
 * small world and knows only the documented precedence.
 * Fails if policy/overrule.c names a rule that doesn't decide, or misses one that does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/overrule.h"
#include "tests/unit/random.h"

#define NOW 10

/* The small world: what rules name, and one more of each. */
static const char *const paths[] = { "any", "/bin/a", "/bin/b" };
#define BINARIES 4
#define USERS 3
#define PORT_NUMBERS 9 /* rules name 1 to 7 */

struct asked {
	uint32_t binary, uid, protocol, port;
};

static bool matches(const struct policy *policy, const struct rule *rule, const struct asked *asked)
{
	uint32_t binary = policy->binaries[rule->binary].number;

	return (binary == BINARY_ANY || binary == asked->binary) && (!rule->has_uid || rule->uid == asked->uid) &&
	       (!rule->port.protocol || rule->port.protocol == asked->protocol) &&
	       (!rule->port.first || (asked->port >= rule->port.first && asked->port <= rule->port.last));
}

static uint32_t width(const struct rule *rule)
{
	return rule->port.first ? rule->port.last - rule->port.first + 1U : 1U << 31;
}

/* Returns more than 0 if `a` decides where both match, 0 if they are equal, and less than 0 if `b` decides. */
static int compare(const struct policy *policy, const struct rule *a, const struct rule *b)
{
	int a_named = policy->binaries[a->binary].number != BINARY_ANY, b_named = policy->binaries[b->binary].number != BINARY_ANY;
	int a_conditions = a->has_uid + (a->port.protocol != 0), b_conditions = b->has_uid + (b->port.protocol != 0);

	if (!a->until != !b->until)
		return a->until ? 1 : -1;
	if (a_named != b_named)
		return a_named - b_named;
	if (a_conditions != b_conditions)
		return a_conditions - b_conditions;
	if (width(a) != width(b))
		return width(a) < width(b) ? 1 : -1;
	return (a->verdict == VERDICT_DENY) - (b->verdict == VERDICT_DENY);
}

/* Returns the rule that decides, or NULL. If `lasting`, temporary rules don't count. */
static const struct rule *best(const struct policy *policy, const struct asked *asked, bool lasting)
{
	const struct rule *found = NULL;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->verdict != VERDICT_LISTEN && matches(policy, rule, asked) && !(lasting && rule->until) &&
		    (!found || compare(policy, rule, found) > 0))
			found = rule;
	}
	return found;
}

static bool next_asked(struct asked *asked)
{
	if (++asked->port < PORT_NUMBERS)
		return true;
	asked->port = 0;
	if (++asked->protocol < PROTOCOLS)
		return true;
	asked->protocol = 0;
	if (++asked->uid < USERS)
		return true;
	asked->uid = 0;
	return ++asked->binary < BINARIES;
}

static struct rule random_rule(struct policy *policy)
{
	uint32_t binary = random_below(3), first = random_below(8), last = first + random_below(3);
	struct rule rule = {
		.section = "s",
		.binary = policy_binary(policy, paths[binary]),
		.port = { (uint16_t)first, (uint16_t)(first ? last < 7 ? last : 7 : 0),
			  (uint8_t)(random_below(3) ? 0 : random_below(PROTOCOLS)) },
		.verdict = (uint8_t)random_below(VERDICTS),
		.counter = COUNTER_NONE,
		.has_uid = !random_below(3),
		.until = random_below(5) ? 0 : NOW + 1 + random_below(5),
	};

	policy->binaries[rule.binary].number = binary;
	rule.uid = rule.has_uid ? random_below(USERS - 1) : 0;
	return rule;
}

static void random_policy(struct policy *policy)
{
	policy_init(policy);
	policy->verdict = random_below(VERDICTS);
	for (uint32_t rules = random_below(9); rules; rules--) {
		struct rule rule = random_rule(policy);

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

static void copy_policy(struct policy *copy, const struct policy *policy)
{
	policy_init(copy);
	copy->verdict = policy->verdict;
	for (size_t i = 0; i < policy->rule_count; i++) {
		struct rule rule = policy->rules[i];
		const struct binary *binary = &policy->binaries[rule.binary];

		rule.binary = policy_binary(copy, binary->path);
		copy->binaries[rule.binary].number = binary->number;
		policy_append(copy, &rule);
	}
}

/* Returns true if `by`, or a rule of equal rank, decides some request that `rule` matches otherwise than `rule`. */
static bool is_decided_by(const struct policy *policy, const struct rule *rule, const struct rule *by)
{
	struct asked asked = { 0 };

	do {
		const struct rule *decides = best(policy, &asked, !by->until && !rule->until);

		if (matches(policy, rule, &asked) && matches(policy, by, &asked) && !compare(policy, decides, by))
			return true;
	} while (next_asked(&asked));
	return false;
}

static bool is_found(const struct policy *policy, const struct overrulings *found, const struct rule *equal, const struct asked *asked)
{
	for (size_t i = 0; i < found->count; i++) {
		const struct rule *rule = &policy->rules[found->rules[i]];

		if (matches(policy, rule, asked) && !compare(policy, rule, equal))
			return true;
	}
	return false;
}

/* Checks that `found` has the rule of each request that is decided otherwise. Adds the number of such requests to *count. */
static void check_all_are_found(const struct policy *policy, const struct rule *rule, const struct overrulings *found, bool lasting,
				size_t *count)
{
	struct asked asked = { 0 };

	do {
		const struct rule *decides = best(policy, &asked, lasting);

		if (!matches(policy, rule, &asked) || decides->verdict == rule->verdict || (!lasting && !decides->until && !rule->until))
			continue;
		assert_true(is_found(policy, found, decides, &asked));
		(*count)++;
	} while (next_asked(&asked));
}

static bool has_effect(const struct policy *before, const struct policy *after, const struct rule *rule)
{
	struct asked asked = { 0 };

	do {
		const struct rule *was = best(before, &asked, true), *is = best(after, &asked, true);

		if (matches(after, rule, &asked) && (was ? was->verdict : before->verdict) != rule->verdict &&
		    (is ? is->verdict : after->verdict) == rule->verdict)
			return true;
	} while (next_asked(&asked));
	return false;
}

static void test_warned_exactly_where_others_decide(void **unused)
{
	unsigned warned = 0;

	(void)unused;
	for (int round = 0; round < 20000; round++) {
		struct overrulings found = { 0 };
		struct policy policy;
		struct rule rule;
		size_t count = 0;
		uint32_t number;

		random_policy(&policy);
		rule = random_rule(&policy);
		number = policy.binaries[rule.binary].number;
		policy_replace(&policy, &rule);
		policy_normalise(&policy);
		rule.binary = policy_binary(&policy, paths[number]);
		policy.binaries[rule.binary].number = number;
		assert_int_equal(overrulings_find(&policy, number, &rule, NOW, &found), 0);
		for (size_t i = 0; i < found.count; i++) {
			const struct rule *by = &policy.rules[found.rules[i]];

			assert_int_not_equal(by->verdict, rule.verdict);
			assert_true(is_decided_by(&policy, &rule, by));
		}
		if (!rule.until)
			check_all_are_found(&policy, &rule, &found, true, &count);
		check_all_are_found(&policy, &rule, &found, false, &count);
		assert_int_equal(count != 0, found.count != 0);
		warned += found.count != 0;
		overrulings_clear(&found);
		policy_clear(&policy);
	}
	assert_in_range(warned, 4000, 16000);
}

static void test_effect(void **unused)
{
	unsigned effects = 0;

	(void)unused;
	for (int round = 0; round < 20000; round++) {
		struct policy before, after;
		struct rule rule;
		uint32_t number;
		bool effect = false;

		random_policy(&before);
		copy_policy(&after, &before);
		rule = random_rule(&after);
		rule.until = 0;
		number = after.binaries[rule.binary].number;
		/* As in files, where another file can say the contrary. */
		if (random_below(2))
			policy_append(&after, &rule);
		else
			policy_replace(&after, &rule);
		policy_normalise(&after);
		rule.binary = policy_binary(&after, paths[number]);
		after.binaries[rule.binary].number = number;
		assert_int_equal(overrule_effect(&before, &after, number, &rule, &effect), 0);
		assert_int_equal(effect, has_effect(&before, &after, &rule));
		effects += effect;
		policy_clear(&before);
		policy_clear(&after);
	}
	assert_in_range(effects, 4000, 16000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_warned_exactly_where_others_decide),
		cmocka_unit_test(test_effect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
