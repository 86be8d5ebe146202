/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests who counts as spinning, judged by the events of denials.
 * Fails if enforce/records/spinning.c adds up windows wrongly, mixes two servers, or names one that has stopped or that pauses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* ours is a function */

#include "enforce/records/spinning.h"

#define SECOND 1000000000ULL

static struct event denial(uint32_t binary, uint64_t second, uint32_t count)
{
	return (struct event){
		.generation = 1,
		.binary = binary,
		.listener_port = 80,
		.time_boot = second * SECOND,
		.count = count,
		.verdict = VERDICT_DENY,
	};
}

static struct spinner *note(struct spinning *spinning, uint32_t binary, uint64_t second, uint32_t count)
{
	const struct event event = denial(binary, second, count);

	return spinning_note(spinning, &event);
}

/* Windows of 1, 2 and 4 s: with the third, it has spun for more than five seconds. */
static void test_windows(void **state)
{
	struct spinning spinning = { .count = 0 };
	struct spinner *spinner;

	(void)state;
	assert_null(note(&spinning, 1, 100, 1));
	assert_null(note(&spinning, 1, 101, 2000));
	assert_null(note(&spinning, 1, 103, 4000));
	spinner = note(&spinning, 1, 107, 8000);
	assert_non_null(spinner);
	assert_int_equal(spinner->ns, 7 * SECOND);
	assert_int_equal(spinner_rate(spinner), 2000);
	/* no more than the rate: it doesn't spin any more, and has to do so for as long again */
	assert_null(note(&spinning, 1, 115, 8000));
	assert_null(note(&spinning, 1, 119, 8000));
	assert_non_null(note(&spinning, 1, 120, 8000));
}

/* The first event of a new series says nothing about the time before it. */
static void test_series_end(void **state)
{
	struct spinning spinning = { .count = 0 };

	(void)state;
	assert_null(note(&spinning, 1, 100, 1));
	assert_non_null(note(&spinning, 1, 108, 80000));
	assert_null(note(&spinning, 1, 109, 1));
	assert_null(note(&spinning, 1, 110, 80000));
}

/* These don't count: events of another binary, of several, of listen(2), of an allowed accept, or under another policy. */
static void test_apart(void **state)
{
	struct spinning spinning = { .count = 0 };
	struct event event;

	(void)state;
	assert_null(note(&spinning, 1, 100, 1));
	assert_null(note(&spinning, 2, 100, 1));
	assert_null(note(&spinning, 2, 108, 8000));
	assert_non_null(note(&spinning, 1, 108, 8001));
	event = denial(1, 116, 80000);
	event.differ = DIFFER_BINARY;
	assert_null(spinning_note(&spinning, &event));
	event = denial(1, 116, 80000);
	event.operation = OPERATION_LISTEN;
	assert_null(spinning_note(&spinning, &event));
	event = denial(1, 116, 80000);
	event.verdict = VERDICT_ALLOW;
	assert_null(spinning_note(&spinning, &event));
	event = denial(1, 116, 80000);
	event.generation = 2;
	assert_null(spinning_note(&spinning, &event));
}

/* There is room for a fixed number; a new one replaces the quietest. */
static void test_room(void **state)
{
	struct spinning spinning = { .count = 0 };

	(void)state;
	for (uint32_t binary = 1; binary <= SPINNERS_MAX; binary++)
		assert_null(note(&spinning, binary, 100 + binary, 1));
	assert_null(note(&spinning, 1000, 200, 1));
	assert_int_equal(spinning.count, SPINNERS_MAX);
	/* the first is the one that has gone: this is its first event again */
	assert_non_null(note(&spinning, 2, 210, 800000));
	assert_null(note(&spinning, 1, 210, 800000));
}

static void test_text(void **state)
{
	struct spinning spinning = { .count = 0 };
	struct event event = denial(1, 108, 80000);
	struct record record = { .event = &event, .binary = "/bin/server" };
	char text[SPINNER_TEXT_MAX];
	struct spinner *spinner;

	(void)state;
	event.family = 2;
	event.protocol = 6;
	event.pid = 12;
	note(&spinning, 1, 100, 1);
	spinning.list[0].family = 2;
	spinning.list[0].protocol = 6;
	spinner = spinning_note(&spinning, &event);
	assert_non_null(spinner);
	assert_string_equal(spinner_text(spinner, &record, text),
			    "/bin/server (pid 12) on 80/tcp: 10000 denials a second for 8 s, as it tries again "
			    "at once; stop or restart it, or allow it there");
	event.differ = DIFFER_PID;
	record.binary = NULL;
	record.hint = "/x";
	assert_string_equal(spinner_text(spinner, &record, text),
			    "(/x) on 80/tcp: 10000 denials a second for 8 s, as it tries again at once; stop or "
			    "restart it, or allow it there");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows), cmocka_unit_test(test_series_end), cmocka_unit_test(test_apart),
		cmocka_unit_test(test_room),    cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
