/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests needles: texts that every wanted line of the log contains, so that a line without one needn't be parsed.
 * Fails if enforce/records/needles.c names a text that a wanted line can lack; `audit` would then miss events.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* ours is a function */

#include "enforce/records/needles.h"

#define BOTH (VERDICT_BIT(VERDICT_ALLOW) | VERDICT_BIT(VERDICT_DENY))

static bool may_be_wanted(const struct filter *filter, const char *line)
{
	struct needles needles = { 0 };
	bool found;

	needles_find(&needles, filter);
	found = needles_are_in(&needles, line, strlen(line));
	needles_clear(&needles);
	return found;
}

static void test_nothing_asked(void **state)
{
	const struct filter filter = { .verdicts = BOTH };

	(void)state;
	assert_true(may_be_wanted(&filter, ""));
}

static void test_verdict(void **state)
{
	const struct filter filter = { .verdicts = VERDICT_BIT(VERDICT_DENY) };

	(void)state;
	assert_true(may_be_wanted(&filter, "{\"seq\":1,\"verdict\":\"deny\"}"));
	assert_false(may_be_wanted(&filter, "{\"seq\":1,\"verdict\":\"allow\"}"));
}

static void test_binary(void **state)
{
	static const char line[] = "{\"verdict\":\"deny\",\"binary\":\"/srv/a\\\"b\"}";
	char resolved[] = "/srv/other";
	struct filter filter = { .verdicts = BOTH, .binary = "/srv/a\"b" };

	(void)state;
	assert_true(may_be_wanted(&filter, line));
	filter.binary = "/srv/a";
	assert_false(may_be_wanted(&filter, line));
	/* a line may have either path */
	filter.resolved = resolved;
	assert_true(may_be_wanted(&filter, line));
	/* or any directory */
	filter = (struct filter){ .verdicts = BOTH, .binary = "a\"b" };
	assert_true(may_be_wanted(&filter, line));
}

static void test_unit(void **state)
{
	const struct filter filter = { .verdicts = BOTH, .unit = "ssh" };

	(void)state;
	assert_true(may_be_wanted(&filter, "{\"unit\":\"ssh.service\"}"));
	assert_true(may_be_wanted(&filter, "{\"unit\":\"ssh\"}"));
	assert_false(may_be_wanted(&filter, "{\"unit\":\"open-ssh.service\"}"));
	assert_false(may_be_wanted(&filter, "{\"unit\":null}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_asked),
		cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_binary),
		cmocka_unit_test(test_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
