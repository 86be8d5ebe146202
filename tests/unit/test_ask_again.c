/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests how system calls of other threads are recognised, by texts of /proc/PID/task/TID/syscall as kernels print them.
 * Fails if enforce/change/accept_call.c takes another call for accept(2), misses one of a 32-bit program, or mixes up the two tables of
 * calls.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "enforce/change/accept_call.h"

#define POINTERS " 0x7ffd5c0d1a48 0x7f3b5f0f2a17\n"

static enum accept_kind kind_of(const char *text, int *fd, uint64_t *address)
{
	struct call call;

	assert_true(call_parse(text, &call));
	return accept_call_kind(&call, fd, address);
}

static void assert_by_number(const char *text, int wanted)
{
	uint64_t address = 0;
	int fd = -2;

	assert_int_equal(kind_of(text, &fd, &address), ACCEPT_BY_NUMBER);
	assert_int_equal(fd, wanted);
}

static void assert_not(const char *text)
{
	uint64_t address = 1;
	int fd = -2;

	assert_int_equal(kind_of(text, &fd, &address), ACCEPT_NOT);
	assert_int_equal(fd, -2);
	assert_int_equal(address, 1);
}

static void test_states(void **state)
{
	struct call call = { 0 };

	(void)state;
	assert_true(call_parse("running\n", &call));
	assert_int_equal(call.state, CALL_RUNNING);
	assert_true(call_parse("-1" POINTERS, &call));
	assert_int_equal(call.state, CALL_NONE);
	assert_true(call_parse("7 0x1 0x2 0xffffffffffffffff 0x4 0x5 0x6" POINTERS, &call));
	assert_int_equal(call.state, CALL_KNOWN);
	assert_int_equal(call.number, 7);
	assert_int_equal(call.arguments[0], 1);
	assert_true(call.arguments[2] == UINT64_MAX);
	assert_int_equal(call.arguments[5], 6);
}

/* A text that isn't understood is rejected, and isn't taken for a thread that does nothing. */
static void test_other_texts(void **state)
{
	static const char *const texts[] = { "",
					     "\n",
					     "run",
					     "43",
					     "43 0x3",
					     "43 0x3 0x0" POINTERS,
					     "-2" POINTERS,
					     "7 0x1" POINTERS,
					     "-1 0x1 0x2 0x3 0x4 0x5 0x6" POINTERS,
					     "4294967296 0x1 0x2 0x3 0x4 0x5 0x6" POINTERS };
	struct call call = { .state = CALL_KNOWN, .number = 99 };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (call_parse(texts[i], &call) || call.state != CALL_KNOWN || call.number != 99)
			fail_msg("taken for a call: '%s'", texts[i]);
}

static void test_native(void **state)
{
	(void)state;
	assert_by_number("43 0x3 0x0 0x0 0x0 0x0 0x0" POINTERS, 3);
	assert_by_number("288 0x11 0x7ffc3c 0x7ffc38 0x80000 0x0 0x0" POINTERS, 17);
	/* The descriptor is an int: the upper half doesn't matter. */
	assert_by_number("43 0xdead00000003 0x0 0x0 0x0 0x0 0x0" POINTERS, 3);
	assert_by_number("43 0xffffffff 0x0 0x0 0x0 0x0 0x0" POINTERS, -1);
	/* x32 */
	assert_by_number("1073741867 0x5 0x0 0x0 0x0 0x0 0x0" POINTERS, 5);
	assert_not("running\n");
	assert_not("-1" POINTERS);
	assert_not("0 0x3 0x7ffc3c 0x1000 0x0 0x0 0x0" POINTERS);
	assert_not("232 0x3 0x7ffc3c 0x10 0xffffffffffffffff 0x0 0x0" POINTERS);
}

/* Threads that sleep with these numbers came by the 32-bit table. */
static void test_compat(void **state)
{
	uint64_t address = 0;
	int fd = -2;

	(void)state;
	assert_by_number("364 0x4 0x0 0x0 0x0 0x0 0x0 0xffc3a1b0 0xf7f0a549\n", 4);
	assert_int_equal(kind_of("102 0x5 0xffc3a1c0 0x0 0x0 0x0 0x0 0xffc3a1b0 0xf7f0a549\n", &fd, &address), ACCEPT_BY_MEMORY);
	assert_int_equal(address, 0xffc3a1c0);
	assert_int_equal(kind_of("102 0x12 0xffc3a1d0 0x0 0x0 0x0 0x0 0xffc3a1b0 0xf7f0a549\n", &fd, &address), ACCEPT_BY_MEMORY);
	assert_int_equal(address, 0xffc3a1d0);
	/* recv */
	assert_not("102 0xa 0xffc3a1c0 0x0 0x0 0x0 0x0 0xffc3a1b0 0xf7f0a549\n");
}

static void test_lost_restart(void **state)
{
	(void)state;
	assert_true(accept_call_lost_restart(false, 43, -EINTR));
	assert_true(accept_call_lost_restart(false, 288, -EINTR));
	assert_true(accept_call_lost_restart(true, 102, -EINTR));
	assert_true(accept_call_lost_restart(true, 364, (uint32_t)-EINTR));
	/* Restarted by the kernel itself, or at its end. */
	assert_false(accept_call_lost_restart(false, 43, -512));
	assert_false(accept_call_lost_restart(false, 43, ACCEPT_CALL_RESTART));
	assert_false(accept_call_lost_restart(false, 43, 7));
	assert_false(accept_call_lost_restart(false, 43, -EAGAIN));
	assert_false(accept_call_lost_restart(false, 43, (uint32_t)-EINTR));
	/* Another call, or one of the other table; or a thread that is in none. */
	assert_false(accept_call_lost_restart(false, 232, -EINTR));
	assert_false(accept_call_lost_restart(false, 102, -EINTR));
	assert_false(accept_call_lost_restart(true, 43, -EINTR));
	assert_false(accept_call_lost_restart(true, 288, -EINTR));
	assert_false(accept_call_lost_restart(false, -1, -EINTR));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states), cmocka_unit_test(test_other_texts),  cmocka_unit_test(test_native),
		cmocka_unit_test(test_compat), cmocka_unit_test(test_lost_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
