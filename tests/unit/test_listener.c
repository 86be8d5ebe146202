/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests how a listener is printed, and that without a policy nobody is denied.
 * Fails if enforce/kernel/listener.c prints an address, a port or a program wrongly, or takes an empty image for one that denies.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "enforce/kernel/listener.h"

static struct listener listener_on(uint16_t family, uint16_t protocol, uint32_t port)
{
	struct listener listener = { .socket = { .family = family, .protocol = protocol } };

	listener.socket.local.port = port;
	return listener;
}

static void test_text(void **state)
{
	struct listener listener = listener_on(AF_INET, IPPROTO_TCP, 80);
	char text[LISTENER_TEXT_MAX];

	(void)state;
	assert_string_equal(listener_text(&listener, text), "0.0.0.0:80/tcp");
	listener = listener_on(AF_INET6, IPPROTO_SCTP, 65535);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", listener.socket.local.address), 1);
	assert_string_equal(listener_text(&listener, text), "[2001:db8::1]:65535/sctp");
}

static void test_text_of_vsock(void **state)
{
	struct listener listener = listener_on(AF_VSOCK, 0, 1024);
	uint32_t cid = UINT32_MAX;
	char text[LISTENER_TEXT_MAX];

	(void)state;
	memcpy(listener.socket.local.address, &cid, sizeof(cid));
	assert_string_equal(listener_text(&listener, text), "*:1024/vsock");
	cid = 2;
	memcpy(listener.socket.local.address, &cid, sizeof(cid));
	assert_string_equal(listener_text(&listener, text), "2:1024/vsock");
}

/* A family without ports has no address to print either. */
static void test_text_without_port(void **state)
{
	struct listener listener = listener_on(AF_BLUETOOTH, 0, 0);
	char text[LISTENER_TEXT_MAX];

	(void)state;
	assert_string_equal(listener_text(&listener, text), "bluetooth");
}

static void test_program(void **state)
{
	struct listener listener = listener_on(AF_INET, IPPROTO_TCP, 80);
	char text[LISTENER_PROGRAM_MAX], path[] = "/usr/sbin/nginx";

	(void)state;
	assert_string_equal(listener_program(&listener, text), "a program");
	listener.path = path;
	assert_string_equal(listener_program(&listener, text), "/usr/sbin/nginx");
	listener.foreign = true;
	assert_string_equal(listener_program(&listener, text), "(/usr/sbin/nginx)");
}

static void test_no_policy_denies_nobody(void **state)
{
	const struct listener listener = listener_on(AF_INET, IPPROTO_TCP, 80);
	const struct image none = { 0 };

	(void)state;
	assert_false(listener_is_denied(&listener, &none, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),    cmocka_unit_test(test_text_of_vsock),           cmocka_unit_test(test_text_without_port),
		cmocka_unit_test(test_program), cmocka_unit_test(test_no_policy_denies_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
