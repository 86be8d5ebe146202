/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests the table of counters by (binary, port, verdict): its keys, the two groups of each key, and how places are taken.
 * Fails if bpf/shared/port_table.h gives two keys one place, gives a place away again, or spreads keys unevenly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/shared/port_table.h"

static void expect_key(uint32_t binary, uint32_t port, uint32_t verdict, uint32_t port_back)
{
	uint64_t key = port_key(binary, port, verdict);

	assert_int_not_equal(key, 0);
	assert_int_equal(port_key_binary(key), binary);
	assert_int_equal(port_key_port(key), port_back);
	assert_int_equal(port_key_verdict(key), verdict);
}

static void test_keys(void **state)
{
	(void)state;
	expect_key(1, 0, VERDICT_ALLOW, 0);
	expect_key(1, 80, VERDICT_DENY, 80);
	expect_key(UINT32_MAX, 65535, VERDICT_ALLOW, 65535);
	/* ports of VSOCK have 32 bits: all that are above share a key */
	expect_key(BINARY_UNNAMED | 5, 65536, VERDICT_DENY, PORT_KEY_BEYOND);
	expect_key(BINARY_UNNAMED | 5, UINT32_MAX, VERDICT_DENY, PORT_KEY_BEYOND);
}

static void test_groups(void **state)
{
	unsigned same = 0;

	(void)state;
	for (uint32_t port = 0; port < 65536; port++) {
		uint64_t key = port_key(7, port, VERDICT_DENY);

		for (unsigned choice = 0; choice < 2; choice++) {
			uint32_t named = port_group_of(key, choice, true), unnamed = port_group_of(key, choice, false);

			assert_true(named < NAMED_PORT_GROUPS);
			assert_true(unnamed >= NAMED_PORT_GROUPS && unnamed < NAMED_PORT_GROUPS + UNNAMED_PORT_GROUPS);
		}
		same += port_group_of(key, 0, true) == port_group_of(key, 1, true);
	}
	/* the two choices say different things: by chance, two of 65,536 are equal */
	assert_true(same < 64);
}

/* With a quarter of the places taken, nearly every key has one, even if the keys are as similar as those of real rules. */
static void test_spread(void **state)
{
	static struct port_group groups[NAMED_PORT_GROUPS];
	const unsigned keys = NAMED_PORT_GROUPS * PORT_GROUP_SLOTS / 4;
	unsigned without = 0;

	(void)state;
	memset(groups, 0, sizeof(groups));
	for (unsigned i = 0; i < keys; i++) {
		uint64_t key = port_key(1 + i / 16, 80 + i % 16 / 2, i % 2);

		if (port_group_place(&groups[port_group_of(key, 0, true)], key) == PORT_GROUP_SLOTS &&
		    port_group_place(&groups[port_group_of(key, 1, true)], key) == PORT_GROUP_SLOTS)
			without++;
	}
	assert_true(without < keys / 50);
}

static void test_places(void **state)
{
	struct port_group group = { 0 };

	(void)state;
	for (unsigned i = 0; i < PORT_GROUP_SLOTS; i++)
		assert_int_equal(port_group_place(&group, port_key(1, 100 + i, VERDICT_DENY)), i);
	/* a full group has no place for another key, and keeps those that it has */
	assert_int_equal(port_group_place(&group, port_key(1, 99, VERDICT_DENY)), PORT_GROUP_SLOTS);
	for (unsigned i = PORT_GROUP_SLOTS; i-- > 0;)
		assert_int_equal(port_group_place(&group, port_key(1, 100 + i, VERDICT_DENY)), i);
	assert_int_equal(port_group_place(&group, port_key(1, 100, VERDICT_ALLOW)), PORT_GROUP_SLOTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
