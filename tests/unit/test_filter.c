/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests which events a filter selects: each condition alone, all together, and what an event doesn't say.
 * Fails if enforce/records/filter.c selects a folded event by something that its repeats don't share, or if enforce/base/items.c reads a
 * list of ports or users wrongly.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>
#undef fail /* ours is a function */

#include "enforce/base/items.h"
#include "enforce/records/filter.h"

/* Selects everything. */
static const struct filter all = { .since = INT64_MIN, .verdicts = VERDICT_BIT(VERDICT_ALLOW) | VERDICT_BIT(VERDICT_DENY) };

/* Returns a denial of nginx on 80/tcp. */
static struct event denial(void)
{
	return (struct event){ .verdict = VERDICT_DENY,
			       .time_boot = 1000,
			       .uid = 33,
			       .family = AF_INET,
			       .protocol = IPPROTO_TCP,
			       .local.port = 80,
			       .listener_port = 80 };
}

static bool wants(const struct filter *filter, const struct event *event)
{
	const struct record record = { .event = event, .binary = "/usr/sbin/nginx", .unit = "nginx.service" };

	return filter_matches(filter, &record);
}

static void test_time_and_verdict(void **state)
{
	struct event event = denial();
	struct filter filter = all;

	(void)state;
	assert_true(wants(&filter, &event));
	filter.since = 1000;
	assert_true(wants(&filter, &event));
	filter.since = 1001;
	assert_false(wants(&filter, &event));
	filter.since = INT64_MIN;
	filter.until = 999; /* counts only if there is an end */
	assert_true(wants(&filter, &event));
	filter.has_until = true;
	assert_false(wants(&filter, &event));
	filter.until = 1000;
	assert_true(wants(&filter, &event));
	filter.verdicts = VERDICT_BIT(VERDICT_ALLOW);
	assert_false(wants(&filter, &event));
	event.verdict = VERDICT_ALLOW;
	assert_true(wants(&filter, &event));
}

static bool wants_binary(const char *wanted, char *resolved, const char *binary)
{
	struct event event = denial();
	const struct record record = { .event = &event, .binary = binary };
	struct filter filter = all;

	filter.binary = wanted;
	filter.resolved = resolved;
	return filter_matches(&filter, &record);
}

static void test_binary(void **state)
{
	char resolved[] = "/usr/bin/python3.11";

	(void)state;
	assert_true(wants_binary("/usr/sbin/nginx", NULL, "/usr/sbin/nginx"));
	assert_false(wants_binary("/usr/sbin/nginx", NULL, "/srv/usr/sbin/nginx"));
	assert_true(wants_binary("nginx", NULL, "/usr/sbin/nginx"));
	assert_true(wants_binary("nginx", NULL, "nginx"));
	assert_false(wants_binary("nginx", NULL, "/usr/sbin/nginx-debug"));
	assert_false(wants_binary("sbin/nginx", NULL, "/usr/sbin/nginx"));
	assert_true(wants_binary("/usr/bin/python3", resolved, "/usr/bin/python3.11"));
	assert_true(wants_binary("/usr/bin/python3", resolved, "/usr/bin/python3"));
	assert_false(wants_binary("/usr/bin/python3", resolved, "/usr/bin/perl"));
	assert_false(wants_binary("nginx", NULL, NULL));
}

static bool wants_port(const char *wanted, const struct event *event)
{
	struct filter filter = all;
	bool wanted_is_it;

	assert_int_equal(port_items_read(&filter.ports, wanted), STATUS_DONE);
	wanted_is_it = wants(&filter, event);
	filter_clear(&filter);
	return wanted_is_it;
}

static void test_ports(void **state)
{
	struct event event = denial();

	(void)state;
	assert_true(wants_port("80", &event));
	assert_true(wants_port("80/tcp", &event));
	assert_false(wants_port("80/sctp", &event));
	assert_false(wants_port("81", &event));
	assert_true(wants_port("443,70-80", &event));
	assert_false(wants_port("443,70-79", &event));
	assert_true(wants_port("any/tcp", &event));
	/* Rules are about the port of the listener, not that of the connection. */
	event.listener_port = 8080;
	assert_true(wants_port("8080", &event));
	assert_false(wants_port("80", &event));
	event.protocol = IPPROTO_MPTCP;
	assert_true(wants_port("8080/tcp", &event));
	event.family = AF_VSOCK;
	assert_true(wants_port("8080/vsock", &event));
	assert_false(wants_port("8080/tcp", &event));
}

/* A fact in which repeats differ matches nothing. */
static void test_differences(void **state)
{
	struct event event = denial();
	uint32_t uid = 33;
	struct filter filter = all;

	(void)state;
	event.differ = DIFFER_PROTOCOL;
	assert_true(wants_port("80", &event));
	assert_false(wants_port("80/tcp", &event));
	event.differ = DIFFER_PORT;
	assert_false(wants_port("80", &event));
	assert_false(wants_port("any/tcp", &event));
	filter.users = (struct user_items){ .list = &uid, .count = 1 };
	assert_true(wants(&filter, &event));
	event.differ = DIFFER_UID;
	assert_false(wants(&filter, &event));
	/* a refused prctl() has no port */
	event = denial();
	event.operation = OPERATION_SET_MM_MAP;
	assert_false(wants_port("80", &event));
	assert_true(wants(&all, &event));
}

static void test_user(void **state)
{
	struct event event = denial();
	uint32_t uids[] = { 1000, 33 };
	struct filter filter = all;

	(void)state;
	filter.users = (struct user_items){ .list = uids, .count = 1 };
	assert_false(wants(&filter, &event));
	filter.users.count = 2;
	assert_true(wants(&filter, &event));
}

static bool wants_unit(const char *wanted, const char *unit)
{
	struct event event = denial();
	const struct record record = { .event = &event, .unit = unit };
	struct filter filter = all;

	filter.unit = wanted;
	return filter_matches(&filter, &record);
}

static void test_unit(void **state)
{
	(void)state;
	assert_true(wants_unit("nginx.service", "nginx.service"));
	assert_true(wants_unit("nginx", "nginx.service"));
	assert_false(wants_unit("nginx", "nginx.socket"));
	assert_false(wants_unit("ngin", "nginx.service"));
	assert_false(wants_unit("nginx.", "nginx.service"));
	assert_true(wants_unit("user@1000", "user@1000.service"));
	assert_false(wants_unit("nginx", NULL));
}

static void test_peer(void **state)
{
	struct event event = denial();
	struct filter filter = all;

	(void)state;
	filter.has_peer = true;
	assert_null(prefix_parse("192.0.2.0/24", &filter.peer));
	assert_int_equal(inet_pton(AF_INET, "192.0.2.7", event.peer.address), 1);
	assert_false(wants(&filter, &event)); /* it isn't known */
	event.flags = EVENT_HAS_PEER;
	assert_true(wants(&filter, &event));
	assert_int_equal(inet_pton(AF_INET, "198.51.100.7", event.peer.address), 1);
	assert_false(wants(&filter, &event));
}

/* All conditions must hold. */
static void test_together(void **state)
{
	struct event event = denial();
	struct filter filter = all;

	(void)state;
	filter.binary = "nginx";
	filter.unit = "nginx";
	assert_true(wants(&filter, &event));
	filter.unit = "ssh";
	assert_false(wants(&filter, &event));
	filter.unit = "nginx";
	filter.binary = "sshd";
	assert_false(wants(&filter, &event));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time_and_verdict),
		cmocka_unit_test(test_binary),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_unit),
		cmocka_unit_test(test_peer),
		cmocka_unit_test(test_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
