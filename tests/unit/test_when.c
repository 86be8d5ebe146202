/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests points in time, with clocks that stand still.
 * Fails if enforce/base/when.c reads a date, a time of day or a length of time wrongly, gets the hour of summer time wrong, or accepts a
 * time that doesn't exist.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "enforce/base/when.h"

#define SECOND 1000000000LL

/* 2026-11-24 14:30:10 UTC, a thousand hours after the start. */
static const struct when_now now = { .real = 1795530610 * SECOND, .boot = 3600000 * SECOND };

static int64_t parsed(const char *text, bool utc)
{
	int64_t boot = 0;

	assert_null(when_parse(text, utc, &now, &boot));
	return (now.boot - boot) / SECOND;
}

static void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static void test_ago(void **state)
{
	(void)state;
	assert_int_equal(parsed("0s", false), 0);
	assert_int_equal(parsed("90s", false), 90);
	assert_int_equal(parsed("10m", false), 600);
	assert_int_equal(parsed("1h30m", false), 5400);
	assert_int_equal(parsed("2d", false), 2 * 86400);
	assert_int_equal(parsed("1w", false), 7 * 86400);
	/* Before the machine was started: no error, but nothing is from that time. */
	assert_int_equal(parsed("80000d", false), 80000LL * 86400);
	assert_true(parsed("999999999w", false) > 80000LL * 86400);
}

static void test_time_of_day(void **state)
{
	(void)state;
	set_zone("UTC0");
	assert_int_equal(parsed("14:30", false), 10);
	assert_int_equal(parsed("14:30:10", false), 0);
	assert_int_equal(parsed("14:30:11", false), 86399); /* yesterday's */
	assert_int_equal(parsed("00:00", false), 14 * 3600 + 30 * 60 + 10);
	set_zone("CET-1");
	assert_int_equal(parsed("15:30", false), 10);
	assert_int_equal(parsed("14:30", true), 10);
}

static void test_dates(void **state)
{
	int64_t boot;

	(void)state;
	set_zone("UTC0");
	assert_int_equal(parsed("2026-11-24", false), 14 * 3600 + 30 * 60 + 10);
	assert_int_equal(parsed("2026-11-24T14:30", false), 10);
	assert_int_equal(parsed("2026-11-24 14:30:09", false), 1);
	assert_int_equal(parsed("2026-11-24T14:30:20", false), -10); /* still to come */
	assert_int_equal(parsed("2026-11-24T14:30:09.000000000Z", false), 1);
	assert_null(when_parse("2026-11-24T14:30:10.123456789Z", false, &now, &boot));
	assert_int_equal(boot - now.boot, 123456789);
	set_zone("EST5");
	assert_int_equal(parsed("2026-11-24T09:30", false), 10);
	assert_int_equal(parsed("2026-11-24T14:30", true), 10);
	assert_int_equal(parsed("2026-11-24T14:30Z", false), 10);
	assert_int_equal(parsed("2026-11-24T15:30:00+01:00", false), 10);
	assert_int_equal(parsed("2026-11-24T09:00-05:30", false), 10);
}

/* One night has no 02:30, another has it twice. */
static void test_summer_time(void **state)
{
	int64_t boot;

	(void)state;
	set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_null(when_parse("2026-03-29T02:30", false, &now, &boot));
	assert_null(when_parse("2026-10-25T02:30", false, &now, &boot));
	assert_int_equal(parsed("2026-10-26T15:30:10", false), 29 * 86400);
}

static void test_errors(void **state)
{
	static const char *const bad[] = { "",
					   "x",
					   "10",
					   "10x",
					   "m",
					   "10m ",
					   "-10m",
					   "1h-3m",
					   "9999999999s",
					   "24:00",
					   "12:60",
					   "12:00:61",
					   "1:00",
					   "12:0",
					   "12:00:",
					   "2026-02-29",
					   "2026-13-01",
					   "2026-00-10",
					   "2026-11-24T",
					   "2026-11-24T14",
					   "2026-11-24T14:00X",
					   "2026-11-24T14:00+1",
					   "2026-11-24T14:00+25:00",
					   "2026-11-24T14:00Zx",
					   "9999-01-01",
					   "0001-01-01T00:00",
					   "1700-01-01",
					   "2026-11-24T14:00:00.",
					   "2026-11-24T14:00:00.x",
					   "26-11-24",
					   "now and then" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t boot = 77;

		if (!when_parse(bad[i], false, &now, &boot))
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(boot, 77);
	}
}

static void test_text(void **state)
{
	char text[WHEN_TEXT_MAX];

	(void)state;
	set_zone("EST5");
	assert_string_equal(when_exact(now.real + 5, text), "2026-11-24T14:30:10.000000005Z");
	assert_string_equal(when_short(now.real, false, text), "11-24 09:30:10");
	assert_string_equal(when_short(now.real, true, text), "11-24 14:30:10");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ago),         cmocka_unit_test(test_time_of_day), cmocka_unit_test(test_dates),
		cmocka_unit_test(test_summer_time), cmocka_unit_test(test_errors),      cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
