/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests that each line of the lasting log reads back as the event that was written.
 * Fails if enforce/records/event_print.c and log_line.c disagree about a member, or if log_line.c accepts a line that isn't ours.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>
#undef fail /* ours is a function */

#include "enforce/records/event.h"
#include "enforce/records/log_read.h"
#include "enforce/records/log_write.h"
#include "policy/cleanup.h"

static void read_back(const struct event *event, const struct record *record, struct log_line *line, char **text)
{
	struct event_printer printer;
	struct output output;
	size_t length = 0;
	FILE *stream = open_memstream(text, &length);

	output_start(&output, stream, true);
	event_start(&printer, &output, true);
	assert_int_equal(event_print(&printer, record), 0);
	fclose(stream);
	assert_true(length > 0 && (*text)[length - 1] == '\n');
	log_line_read(line, *text, length - 1);
	assert_int_equal(line->kind, LOG_LINE_EVENT);
	assert_int_equal(line->event.seq, event->seq);
	assert_int_equal(line->event.count, event->count);
	assert_int_equal(line->event.verdict, event->verdict);
	assert_int_equal(line->real, event_real(event));
}

static void event_reads_back(void **state)
{
	const char *odd = "/opt/\"a\"\\b/\xe2\x80\xae\x1b[31m\xff/server";
	struct event event = { .seq = 1ULL << 40,
			       .generation = 9,
			       .count = 7,
			       .family = AF_INET6,
			       .protocol = IPPROTO_MPTCP,
			       .verdict = VERDICT_DENY,
			       .reason = REASON_RULE,
			       .flags = EVENT_HAS_PEER,
			       .uid = 4294967294U,
			       .local.port = 8443,
			       .peer.port = 51000,
			       .sockfd = -1,
			       .time_tai = 1764100000123456789ULL };
	struct record record = { .event = &event, .binary = odd, .unit = "a b.service", .rule = "web: deny any" };
	_cleanup_free_ char *text = NULL;
	struct log_line line;

	(void)state;
	inet_pton(AF_INET6, "2001:db8::7", event.peer.address);
	read_back(&event, &record, &line, &text);
	assert_string_equal(line.record.unit, "a b.service");
	assert_string_equal(line.record.rule, "web: deny any");
	/* Bytes that are no UTF-8 can't stand in JSON. */
	assert_string_equal(line.record.binary, "/opt/\"a\"\\b/\xe2\x80\xae\x1b[31m\xef\xbf\xbd/server");
	assert_int_equal(line.event.uid, 4294967294U);
	assert_int_equal(line.event.family, AF_INET6);
	assert_int_equal(line.event.protocol, IPPROTO_MPTCP);
	assert_int_equal(line.event.local.port, 8443);
	assert_int_equal(line.event.peer.port, 51000);
	assert_memory_equal(line.event.peer.address, event.peer.address, 16);
	assert_int_equal(line.event.flags, EVENT_HAS_PEER);
	log_line_clear(&line);
}

static void folded_event_reads_back(void **state)
{
	const struct event event = { .seq = 5, .count = 300, .verdict = VERDICT_DENY, .family = AF_INET, .differ = DIFFER_ALL };
	const struct record record = { .event = &event };
	_cleanup_free_ char *text = NULL;
	struct log_line line;

	(void)state;
	read_back(&event, &record, &line, &text);
	assert_null(line.record.binary);
	assert_null(line.record.rule);
	assert_int_equal(line.event.differ, DIFFER_GENERATION | DIFFER_OPERATION | DIFFER_ENFORCED | DIFFER_RULE | DIFFER_UID |
						    DIFFER_BINARY | DIFFER_FAMILY | DIFFER_PROTOCOL | DIFFER_ADDRESS | DIFFER_PORT);
	log_line_clear(&line);
}

/* Each member is null only if the repeats differ in it. */
static void each_difference_is_one_null(void **state)
{
	static const struct {
		__u32 difference;
		const char *null;
	} members[] = {
		{ DIFFER_GENERATION, "\"generation\":null" },
		{ DIFFER_CGROUP, "\"cgroup_id\":null" },
		{ DIFFER_PID, "\"pid\":null" },
		{ DIFFER_TID, "\"tid\":null" },
		{ DIFFER_UID, "\"uid\":null" },
		{ DIFFER_GID, "\"gid\":null" },
		{ DIFFER_NETNS, "\"netns\":null" },
		{ DIFFER_SOCKFD, "\"sockfd\":null" },
		{ DIFFER_BINARY, "\"binary\":null" },
		{ DIFFER_BACKLOG, "\"backlog\":null" },
		{ DIFFER_BACKLOG_MAX, "\"backlog_max\":null" },
		{ DIFFER_PROTOCOL, "\"protocol\":null" },
		{ DIFFER_OPERATION, "\"operation\":null" },
		{ DIFFER_RULE, "\"reason\":null" },
		{ DIFFER_ENFORCED, "\"enforced\":null" },
		{ DIFFER_ADDRESS, "\"local\":{\"address\":null" },
		{ DIFFER_PORT, "\"port\":null" },
		{ DIFFER_COMM, "\"comm\":null" },
	};
	struct event event = { .count = 2, .verdict = VERDICT_DENY, .family = AF_INET, .protocol = IPPROTO_TCP, .flags = EVENT_HAS_PEER };
	const struct record record = { .event = &event, .binary = "/usr/bin/server", .unit = "a.service", .rule = "a: deny any" };

	(void)state;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		_cleanup_free_ char *text = NULL;
		struct log_line line;
		char *null, *second;

		event.differ = members[i].difference;
		read_back(&event, &record, &line, &text);
		null = strstr(text, members[i].null);
		assert_non_null(null);
		second = strstr(text, "null");
		assert_non_null(second);
		assert_null(strstr(second + 1, "null"));
		log_line_clear(&line);
	}
}

static void vsock_and_prctl_read_back(void **state)
{
	struct event event = { .seq = 1,
			       .count = 1,
			       .generation = 1,
			       .family = AF_VSOCK,
			       .flags = EVENT_HAS_PEER,
			       .local.port = 70000,
			       .peer.port = 4000000000U,
			       .peer.address = { 3 } };
	const struct record record = { .event = &event, .hint = "/chroot/server" };
	_cleanup_free_ char *text = NULL, *again = NULL;
	struct log_line line;

	(void)state;
	read_back(&event, &record, &line, &text);
	assert_int_equal(line.event.family, AF_VSOCK);
	assert_int_equal(line.event.peer.port, 4000000000U);
	assert_int_equal(line.event.peer.address[0], 3);
	assert_string_equal(line.record.hint, "/chroot/server");
	log_line_clear(&line);
	event.operation = OPERATION_SET_MM_MAP;
	event.flags = EVENT_ENFORCED;
	read_back(&event, &record, &line, &again);
	assert_int_equal(line.event.operation, OPERATION_SET_MM_MAP);
	assert_int_equal(line.event.flags, EVENT_ENFORCED);
	log_line_clear(&line);
}

static void other_lines_are_none_of_ours(void **state)
{
	static const char *const lines[] = {
		"",
		"{",
		"[]",
		"null",
		"{}",
		"{\"schema\":1}",
		"{\"schema\":2,\"seq\":1,\"time\":\"2026-11-25T00:00:00.000000000Z\"}",
		"{\"schema\":1,\"time\":\"2026-11-25T00:00:00.000000000Z\",\"source\":{}}",
		"{\"schema\":1,\"time\":\"2026-11-25T00:00:00.000000000Z\",\"source\":7}",
		"{\"schema\":1,\"time\":\"2026-99-25T00:00:00.000000000Z\",\"seq\":1,\"count\":1,\"verdict\":\"deny\"}",
		"{\"schema\":1,\"time\":\"2026-11-25T00:00:00.000000000Z\",\"seq\":-1,\"count\":1,\"verdict\":\"deny\"}",
		"{\"schema\":1,\"time\":\"2026-11-25T00:00:00.000000000Z\",\"seq\":1,\"count\":1,\"verdict\":\"maybe\"}",
		"{\"schema\":1,\"time\":\"2026-11-25T00:00:00.000000000Z\",\"source\":{\"boot_id\":"
		"\"0123456789012345678901234567890123456789\",\"instance\":1,\"uptime_ns\":1,\"seq\":1,\"allow\":1,"
		"\"lost_allow\":0,\"deny\":0,\"lost_deny\":0}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct log_line line;

		log_line_read(&line, lines[i], strlen(lines[i]));
		assert_int_equal(line.kind, LOG_LINE_OTHER);
		log_line_clear(&line);
	}
}

static void pair_is_found(void **state)
{
	const char *line = "{\"schema\":1,\"seq\":1,\"binary\":\"/a\\\"b\",\"x\":1,\"local\":{\"address\":\"1.2.3.4\",\"port\":80},"
			   "\"peer\":{\"port\":9}}";
	const char *binary;
	size_t length;
	unsigned port;

	(void)state;
	assert_true(log_line_find_pair(line, strlen(line), &binary, &length, &port));
	assert_int_equal(port, 80);
	assert_int_equal(length, strlen("\"/a\\\"b\""));
	assert_memory_equal(binary, "\"/a\\\"b\"", length);
	for (size_t cut = 0; cut < strlen("{\"schema\":1,\"seq\":1,\"binary\":\"/a\\\"b\",\"x\":1,\"local\":{"); cut++)
		assert_false(log_line_find_pair(line, cut, &binary, &length, &port));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event_reads_back),
		cmocka_unit_test(folded_event_reads_back),
		cmocka_unit_test(each_difference_is_one_null),
		cmocka_unit_test(vsock_and_prctl_read_back),
		cmocka_unit_test(other_lines_are_none_of_ours),
		cmocka_unit_test(pair_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
