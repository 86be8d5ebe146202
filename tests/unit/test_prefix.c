/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests prefixes of addresses.
 * Fails if enforce/base/prefix.c matches an address outside the prefix, misses one inside (also IPv4 mapped into IPv6), or accepts a text
 * that isn't a prefix.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "enforce/base/prefix.h"

static bool matches(const char *text, const char *address)
{
	unsigned family = strchr(address, ':') ? AF_INET6 : AF_INET;
	struct endpoint endpoint = { .port = 80 };
	struct prefix prefix;

	memset(endpoint.address, 0xaa, sizeof(endpoint.address)); /* of IPv4, only the first four bytes count */
	assert_int_equal(inet_pton((int)family, address, endpoint.address), 1);
	assert_null(prefix_parse(text, &prefix));
	return prefix_matches(&prefix, family, &endpoint);
}

static void test_ipv4(void **state)
{
	(void)state;
	assert_true(matches("192.0.2.7", "192.0.2.7"));
	assert_false(matches("192.0.2.7", "192.0.2.6"));
	assert_true(matches("10.0.0.0/8", "10.255.255.255"));
	assert_false(matches("10.0.0.0/8", "11.0.0.0"));
	assert_true(matches("192.0.2.128/25", "192.0.2.128"));
	assert_false(matches("192.0.2.128/25", "192.0.2.127"));
	assert_true(matches("0.0.0.0/0", "203.0.113.1"));
	assert_false(matches("0.0.0.0/0", "2001:db8::1"));
}

static void test_ipv6(void **state)
{
	(void)state;
	assert_true(matches("2001:db8::/32", "2001:db8:ffff::1"));
	assert_false(matches("2001:db8::/32", "2001:db9::"));
	assert_true(matches("fe80::/10", "febf::1"));
	assert_false(matches("fe80::/10", "fec0::1"));
	assert_true(matches("::1", "::1"));
	assert_true(matches("::/0", "2001:db8::1"));
	assert_true(matches("::/0", "192.0.2.7"));
}

/* A peer that comes over IPv4 to an IPv6 listener matches in both forms. */
static void test_mapped(void **state)
{
	(void)state;
	assert_true(matches("192.0.2.0/24", "::ffff:192.0.2.7"));
	assert_true(matches("::ffff:192.0.2.0/120", "192.0.2.7"));
	assert_false(matches("192.0.2.0/24", "::192.0.2.7"));
}

static void test_other_families(void **state)
{
	struct endpoint endpoint = { .port = 80 };
	struct prefix prefix;

	(void)state;
	assert_null(prefix_parse("::/0", &prefix));
	assert_false(prefix_matches(&prefix, AF_VSOCK, &endpoint));
}

static void test_errors(void **state)
{
	static const char *const bad[] = { "",
					   "/8",
					   "10",
					   "10.0.0",
					   "10.0.0.256",
					   "10.0.0.0/",
					   "10.0.0.0/33",
					   "10.0.0.0/x",
					   "10.0.0.0/-1",
					   "10.0.0.0/8 ",
					   "10.0.0.0/0000008",
					   "10.0.0.1/8",
					   "fe80::/129",
					   "fe80::1/10",
					   "fe80::%eth0",
					   "example.org",
					   "0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct prefix prefix = { .bits = 77 };

		if (!prefix_parse(bad[i], &prefix))
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(prefix.bits, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4),           cmocka_unit_test(test_ipv6),   cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_other_families), cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
