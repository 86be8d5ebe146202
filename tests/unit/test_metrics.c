/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests that no two rules of a policy have the same labels: a monitoring system refuses everything if one series is there twice.
 * Fails if enforce/records/metrics_labels.c leaves out what tells two rules apart, or escapes two texts to the same one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "enforce/records/metrics_labels.h"
#include "tests/unit/random.h"

/* Some of these could look the same once they are escaped. */
static const char *const paths[] = { "any", "/bin/a", "/bin/\x01", "/bin/\\x01", "/bin/\\\\x01", "/bin/\"a", "/bin/\\\"a", "/bin/\xff" };
static const char *const sections[] = { "s", "cli", "s\"", "s\\" };

static struct rule random_rule(struct policy *policy)
{
	uint32_t first = random_below(3), last = first ? first + random_below(2) : 0;
	struct rule rule = {
		.binary = policy_binary(policy, paths[random_below(8)]),
		.port = { (uint16_t)first, (uint16_t)last, (uint8_t)random_below(PROTOCOLS) },
		.verdict = (uint8_t)random_below(VERDICTS + 1),
		.counter = COUNTER_NONE,
		.has_uid = random_below(2),
		.until = random_below(2) ? 0 : 1 + random_below(3),
	};

	strcpy(rule.section, sections[random_below(4)]);
	rule.uid = rule.has_uid ? random_below(2) : 0;
	return rule;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void test_no_series_twice(void **unused)
{
	(void)unused;
	for (int round = 0; round < 500; round++) {
		struct policy policy;
		char **labels;

		policy_init(&policy);
		for (uint32_t rules = random_below(200); rules; rules--) {
			struct rule rule = random_rule(&policy);

			policy_append(&policy, &rule);
		}
		policy_normalise(&policy);
		labels = calloc(policy.rule_count + 1, sizeof(*labels));
		for (size_t i = 0; i < policy.rule_count; i++)
			labels[i] = metrics_rule_labels(&policy, &policy.rules[i]);
		qsort(labels, policy.rule_count, sizeof(*labels), compare);
		for (size_t i = 1; i < policy.rule_count; i++)
			if (!strcmp(labels[i - 1], labels[i]))
				fail_msg("twice: %s", labels[i]);
		for (size_t i = 0; i < policy.rule_count; i++)
			free(labels[i]);
		free(labels);
		policy_clear(&policy);
	}
}

static void test_labels(void **unused)
{
	struct policy policy;
	struct rule rule = { .section = "web", .port = { 80, 89, PROTOCOL_TCP }, .has_uid = true, .uid = 33, .until = 1 };
	char *labels;

	(void)unused;
	policy_init(&policy);
	rule.binary = policy_binary(&policy, "/bin/\"a");
	labels = metrics_rule_labels(&policy, &rule);
	assert_string_equal(labels,
			    "section=\"web\",binary=\"/bin/\\\"a\",user=\"33\",verdict=\"allow\",ports=\"80-89/tcp\",temporary=\"yes\"");
	free(labels);
	rule.until = 0;
	labels = metrics_rule_labels(&policy, &rule);
	assert_null(strstr(labels, "temporary"));
	free(labels);
	rule.verdict = VERDICT_LISTEN;
	rule.has_uid = false;
	labels = metrics_rule_labels(&policy, &rule);
	assert_string_equal(labels, "section=\"web\",binary=\"/bin/\\\"a\",user=\"any\",verdict=\"listen\",ports=\"80-89/tcp\"");
	free(labels);
	policy_clear(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_series_twice),
		cmocka_unit_test(test_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
