/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests port items: which texts are one, why others aren't, and that an item is written as it is read.
 * Fails if policy/port.c accepts a bad port or range, or writes it differently.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/port.h"

static const struct {
	const char *text;
	struct port_item item;
	const char *written; /* NULL: as it was read */
} good[] = {
	{ "1", { 1, 1, PROTOCOL_ANY }, NULL },
	{ "80", { 80, 80, PROTOCOL_ANY }, NULL },
	{ "65535", { 65535, 65535, PROTOCOL_ANY }, NULL },
	{ "8000-8099", { 8000, 8099, PROTOCOL_ANY }, NULL },
	{ "80-80", { 80, 80, PROTOCOL_ANY }, "80" },
	{ "1-65535", { 1, 65535, PROTOCOL_ANY }, NULL },
	{ "any", { 0, 0, PROTOCOL_ANY }, NULL },
	{ "any/tcp", { 0, 0, PROTOCOL_TCP }, NULL },
	{ "443/sctp", { 443, 443, PROTOCOL_SCTP }, NULL },
	{ "1024-65535/vsock", { 1024, 65535, PROTOCOL_VSOCK }, NULL },
};

static const struct {
	const char *text, *fragment;
} bad[] = {
	{ "", "not a port" },
	{ "0", "out of range" },
	{ "00", "out of range" },
	{ "65536", "out of range" },
	{ "99999999999999999999999", "out of range" },
	{ "65536/tcp", "out of range; ports go from 1 to 65535" },
	{ "65536/vsock", "any/vsock" },
	{ "80-", "half a range" },
	{ "-80", "half a range" },
	{ "-", "half a range" },
	{ "80-/tcp", "half a range" },
	{ "90-80", "ends before it begins" },
	{ "0-80", "out of range" },
	{ "80-65536", "out of range" },
	{ "80-90-100", "not a port" },
	{ "abc", "not a port" },
	{ "http", "not a port" },
	{ "*", "not a port" },
	{ "0x50", "not a port" },
	{ "+80", "not a port" },
	{ "80;", "not a port" },
	{ "any-80", "not a port" },
	{ "080", "leading zero" },
	{ "80-090", "leading zero" },
	{ "Any", "lower case" },
	{ "ANY/tcp", "lower case" },
	{ "80/udp", "without accept(2)" },
	{ "80/TCP", "unknown protocol" },
	{ "80/", "unknown protocol" },
	{ "80/any", "unknown protocol" },
	{ "80/tcp/tcp", "unknown protocol" },
	{ "/tcp", "not a port" },
	{ "80 443", "comma between" },
	{ "80 - 90", "no blanks" },
	{ "80\t443", "comma between" },
};

static void assert_same(const struct port_item *a, const struct port_item *b)
{
	assert_int_equal(a->first, b->first);
	assert_int_equal(a->last, b->last);
	assert_int_equal(a->protocol, b->protocol);
}

static void test_good(void **state)
{
	char text[PORT_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct port_item item = { 7, 7, 7 };
		const char *problem = port_parse(good[i].text, &item);

		if (problem)
			fail_msg("%s: %s", good[i].text, problem);
		assert_same(&item, &good[i].item);
		assert_ptr_equal(port_format(&item, text), text);
		assert_string_equal(text, good[i].written ? good[i].written : good[i].text);
	}
}

static void test_bad(void **state)
{
	static const struct port_item untouched = { 7, 7, 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct port_item item = untouched;
		const char *problem = port_parse(bad[i].text, &item);

		if (!problem || !strstr(problem, bad[i].fragment))
			fail_msg("'%s': %s", bad[i].text, problem ? problem : "accepted");
		assert_same(&item, &untouched);
	}
}

static void test_round_trip(void **state)
{
	(void)state;
	srandom(1);
	for (int i = 0; i < 200000; i++) {
		struct port_item item = { 0, 0, (uint8_t)(random() % PROTOCOLS) }, back = { 0 };
		char text[PORT_TEXT_MAX];

		if (random() % 8) {
			item.first = (uint16_t)(1 + random() % 65535);
			item.last = item.first;
			if (random() % 2)
				item.last = (uint16_t)(item.first + random() % (65536 - item.first));
		}
		assert_null(port_parse(port_format(&item, text), &back));
		assert_same(&item, &back);
	}
}

/* The longest text must fit. */
static void test_room(void **state)
{
	const struct port_item item = { 10000, 65535, PROTOCOL_VSOCK };
	char text[PORT_TEXT_MAX];

	(void)state;
	assert_string_equal(port_format(&item, text), "10000-65535/vsock");
	assert_string_equal(protocol_name(PROTOCOL_ANY), "any");
	assert_string_equal(protocol_name(PROTOCOL_SCTP), "sctp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
