/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests sums by text: adding, sorting, and the limit on how many texts are kept apart.
 * Fails if enforce/records/sums.c loses a count, also one beyond the limit, or sorts differently.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "enforce/records/sums.h"

static void expect_order(const struct sums *sums, const char *first, const char *second, const char *third)
{
	assert_int_equal(sums->count, 3);
	assert_string_equal(sums->list[0]->text, first);
	assert_string_equal(sums->list[1]->text, second);
	assert_string_equal(sums->list[2]->text, third);
}

static void test_adding(void **state)
{
	char text[] = "/usr/sbin/nginx";
	struct sums sums = { 0 };
	const struct sum *sum;

	(void)state;
	assert_null(sums_find(&sums, text));
	sums_add(&sums, text, VERDICT_DENY, 3, 100);
	sums_add(&sums, text, VERDICT_DENY, 4, 200);
	sums_add(&sums, text, VERDICT_ALLOW, 1, 300);
	memset(text, 'x', sizeof(text) - 1); /* it was copied */
	sum = sums_find(&sums, "/usr/sbin/nginx");
	assert_non_null(sum);
	assert_int_equal(sum->count[VERDICT_DENY], 7);
	assert_int_equal(sum->count[VERDICT_ALLOW], 1);
	assert_int_equal(sum->first, 100);
	assert_null(sums_find(&sums, text));
	assert_int_equal(sums.count, 1);
	sums_clear(&sums);
	assert_int_equal(sums.count, 0);
	assert_null(sums_find(&sums, "/usr/sbin/nginx"));
}

static void test_sorting(void **state)
{
	struct sums sums = { 0 };

	(void)state;
	sums_sort(&sums, VERDICT_DENY);
	sums_sort_by_first(&sums);
	sums_add(&sums, "b", VERDICT_DENY, 5, 100);
	sums_add(&sums, "a", VERDICT_DENY, 5, 300);
	sums_add(&sums, "c", VERDICT_ALLOW, 9, 200);
	expect_order(&sums, "b", "a", "c");
	sums_sort(&sums, VERDICT_DENY);
	expect_order(&sums, "a", "b", "c");
	sums_sort(&sums, VERDICT_ALLOW);
	expect_order(&sums, "c", "a", "b");
	sums_sort_by_first(&sums);
	expect_order(&sums, "a", "c", "b");
	/* sorting loses nobody */
	sums_add(&sums, "c", VERDICT_ALLOW, 1, 400);
	assert_int_equal(sums_find(&sums, "c")->count[VERDICT_ALLOW], 10);
	sums_clear(&sums);
}

/* Somebody who invents texts can't fill the memory; known texts are still counted. */
static void test_most(void **state)
{
	struct sums sums = { 0 };
	char text[32];

	(void)state;
	for (unsigned i = 0; i < SUMS_MOST + 10; i++) {
		snprintf(text, sizeof(text), "192.0.2.%u", i);
		sums_add(&sums, text, VERDICT_DENY, 2, i);
	}
	assert_int_equal(sums.count, SUMS_MOST);
	assert_int_equal(sums.others[VERDICT_DENY], 20);
	assert_int_equal(sums.others[VERDICT_ALLOW], 0);
	assert_null(sums_find(&sums, text));
	sums_add(&sums, "192.0.2.0", VERDICT_DENY, 1, 0);
	assert_int_equal(sums_find(&sums, "192.0.2.0")->count[VERDICT_DENY], 3);
	assert_int_equal(sums.others[VERDICT_DENY], 20);
	sums_clear(&sums);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_adding),
		cmocka_unit_test(test_sorting),
		cmocka_unit_test(test_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
