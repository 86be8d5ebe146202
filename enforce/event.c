/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Printing events.
 */
#include "enforce/event.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "enforce/live.h"
#include "enforce/unit.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/port.h"

/* TIME, VERDICT, BINARY, PORT, PEER: 80 columns with an IPv4 peer. */
static const unsigned widths[] = { 14, 7, 21, 10, 0 };

static const char *const reason_words[REASONS] = { "default", "rule", "prctl" };
static const char *const operation_words[OPERATIONS] = { "accept", "PR_SET_MM_MAP", "PR_SET_MM_EXE_FILE" };

/* Prints each of these members as null. */
static void print_null_list(struct output *output, const char *const *keys)
{
	for (; *keys; keys++)
		output_null(output, *keys);
}
#define print_nulls(output, ...) print_null_list(output, (const char *const[]){ __VA_ARGS__, NULL })

#define ADDRESS_MAX (INET6_ADDRSTRLEN + 1)

const char *rule_text(const struct rule_label *label, char *text)
{
	const struct port_item item = { label->first, label->last, label->protocol };
	char port[PORT_TEXT_MAX], user[24] = "";

	if (label->has_uid)
		snprintf(user, sizeof(user), " user %" PRIu32, label->uid);
	snprintf(text, RULE_TEXT_MAX, "%.*s: %s %s%s", SECTION_MAX, label->section,
		 ini_verdict_words[label->verdict == VERDICT_DENY], port_format(&item, port), user);
	return text;
}

static const char *family_name(const struct event *event)
{
	switch (event->family) {
	case AF_INET:
		return "inet";
	case AF_INET6:
		return "inet6";
	default:
		return "vsock";
	}
}

static const char *protocol_text(const struct event *event, char *text, size_t size)
{
	if (event->family == AF_VSOCK)
		return "vsock";
	switch (event->protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_MPTCP:
		return "mptcp";
	default:
		snprintf(text, size, "%u", event->protocol);
		return text;
	}
}

static const char *address_text(const struct event *event, const struct endpoint *endpoint, char *text)
{
	__u32 cid;

	if (event->family != AF_VSOCK)
		return inet_ntop(event->family, endpoint->address, text, ADDRESS_MAX);
	memcpy(&cid, endpoint->address, sizeof(cid));
	snprintf(text, ADDRESS_MAX, "%" PRIu32, cid);
	return text;
}

/* Seconds that CLOCK_TAI is ahead of UTC, as this machine has been told: mostly 0 or 37. */
static time_t tai_offset(void)
{
	struct timespec tai, utc;

	clock_gettime(CLOCK_REALTIME, &utc);
	clock_gettime(CLOCK_TAI, &tai);
	return (time_t)((tai.tv_sec - utc.tv_sec) + (tai.tv_nsec - utc.tv_nsec > 500000000L) -
			(utc.tv_nsec - tai.tv_nsec > 500000000L));
}

static void print_time(struct output *output, const struct event *event)
{
	time_t seconds = (time_t)(event->time_tai / 1000000000U) - tai_offset();
	char utc[40], local[32];
	struct tm tm;

	strftime(utc, sizeof(utc), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
	snprintf(utc + strlen(utc), sizeof(utc) - strlen(utc), ".%09uZ", (unsigned)(event->time_tai % 1000000000U));
	strftime(local, sizeof(local), "%m-%d %H:%M:%S", localtime_r(&seconds, &tm));
	output_text(output, "time", NULL, utc);
	output_text(output, NULL, "TIME", local);
}

static void print_verdict(struct output *output, const struct event *event)
{
	bool deny = event->verdict == VERDICT_DENY, enforced = event->flags & EVENT_ENFORCED;
	char rule[RULE_TEXT_MAX];

	output_text(output, "verdict", NULL, ini_verdict_words[deny]);
	/* In permissive mode nothing was denied: the table must not say so. */
	output_coloured(output, NULL, "VERDICT", !deny ? "allow" : enforced ? "deny" : "(deny)",
			deny ? COLOUR_BAD : COLOUR_GOOD);
	output_flag(output, "enforced", NULL, enforced);
	if (event->flags & EVENT_MANY_BINARIES) {
		print_nulls(output, "reason", "rule");
		return;
	}
	output_text(output, "reason", NULL, reason_words[event->reason]);
	output_text(output, "rule", NULL, event->reason == REASON_RULE ? rule_text(&event->rule, rule) : NULL);
}

/* What the process itself would see says nothing certain: the table has it in brackets. */
static void print_hint(struct output *output, const char *hint)
{
	char bracketed[PATH_ROOM + 2];

	output_null(output, "binary");
	output_text(output, "binary_hint", NULL, hint);
	snprintf(bracketed, sizeof(bracketed), "(%s)", hint ? hint : "?");
	output_text(output, NULL, "BINARY", bracketed);
}

static void print_binary(struct output *output, const struct kernel *kernel, const struct event *event)
{
	char seen[PATH_ROOM] = "";

	if (event->flags & EVENT_MANY_BINARIES) {
		output_null(output, "binary");
		output_text(output, NULL, "BINARY", "several");
		return;
	}
	if (!(event->binary & BINARY_UNNAMED)) {
		_cleanup_free_ char *path = identified_path(kernel, event->binary);

		if (path)
			output_text(output, "binary", "BINARY", path);
		else
			print_hint(output, NULL);
		return;
	}
	memcpy(seen, event->path.path, sizeof(seen) - 1);
	if (!event->path.length || event->flags & EVENT_PATH_HINT)
		print_hint(output, event->path.length ? seen : NULL);
	else
		output_text(output, "binary", "BINARY", seen);
}

static void print_user(struct output *output, const struct event *event)
{
	if (event->flags & EVENT_MANY_USERS) {
		print_nulls(output, "uid", "gid");
		return;
	}
	output_number(output, "uid", NULL, event->uid);
	output_number(output, "gid", NULL, event->gid);
}

static void print_caller(struct output *output, const struct kernel *kernel, const struct event *event)
{
	char comm[sizeof(event->comm) + 1] = "", unit[sizeof(struct unit)];

	memcpy(comm, event->comm, sizeof(event->comm));
	print_binary(output, kernel, event);
	if (event->flags & EVENT_MANY_THREADS) {
		print_nulls(output, "pid", "tid");
		print_user(output, event);
		print_nulls(output, "comm", "cgroup_id", "unit");
		return;
	}
	output_number(output, "pid", NULL, event->pid);
	output_number(output, "tid", NULL, event->tid);
	print_user(output, event);
	output_text(output, "comm", NULL, comm);
	output_number(output, "cgroup_id", NULL, event->cgroup_id);
	output_text(output, "unit", NULL, unit_name(kernel, event->unit, unit));
}

static void print_endpoint(struct output *output, const char *key, const struct event *event,
			   const struct endpoint *endpoint)
{
	char address[ADDRESS_MAX];

	output_open_object(output, key);
	output_text(output, "address", NULL, address_text(event, endpoint, address));
	output_number(output, "port", NULL, endpoint->port);
	output_close(output);
}

static void print_peer(struct output *output, const struct event *event)
{
	char address[ADDRESS_MAX], text[ADDRESS_MAX + 16];

	if (!(event->flags & EVENT_HAS_PEER)) {
		output_null(output, "peer");
		output_text(output, NULL, "PEER", NULL);
		return;
	}
	print_endpoint(output, "peer", event, &event->peer);
	snprintf(text, sizeof(text), event->family == AF_INET6 ? "[%s]:%u" : "%s:%u",
		 address_text(event, &event->peer, address), event->peer.port);
	output_text(output, NULL, "PEER", text);
}

/* Of repeats on several listeners there is nothing but the port to say. */
static void print_listeners(struct output *output, const struct event *event)
{
	bool port = !(event->flags & EVENT_MANY_BINARIES);

	print_nulls(output, "netns", "sockfd", "family", "protocol");
	output_open_object(output, "local");
	output_null(output, "address");
	if (port)
		output_number(output, "port", "PORT", event->local.port);
	else
		output_null(output, "port");
	output_close(output);
	if (!port)
		output_text(output, NULL, "PORT", "several");
	print_nulls(output, "peer", "backlog", "backlog_max");
	output_text(output, NULL, "PEER", NULL);
}

static void print_listener(struct output *output, const struct event *event)
{
	char number[8], port[32];
	const char *protocol = protocol_text(event, number, sizeof(number));

	output_number(output, "netns", NULL, event->netns);
	if (event->flags & EVENT_MANY_THREADS)
		output_null(output, "sockfd");
	else
		output_signed(output, "sockfd", NULL, event->sockfd);
	output_text(output, "family", NULL, family_name(event));
	output_text(output, "protocol", NULL, protocol);
	print_endpoint(output, "local", event, &event->local);
	snprintf(port, sizeof(port), "%u/%s", event->local.port, protocol);
	output_text(output, NULL, "PORT", port);
	print_peer(output, event);
	output_number(output, "backlog", NULL, event->backlog);
	output_number(output, "backlog_max", NULL, event->backlog_max);
}

/* A refused prctl() has no listener. The table has its name where one looks for who was denied. */
static void print_forgery(struct output *output, const struct event *event)
{
	output_null(output, "netns");
	output_signed(output, "sockfd", NULL, event->sockfd);
	print_nulls(output, "family", "protocol", "local", "peer", "backlog", "backlog_max");
	output_text(output, NULL, "PORT", NULL);
	output_text(output, "operation", "PEER", operation_words[event->operation]);
}

void event_stream(struct output *output)
{
	output_stream(output, widths);
}

int event_print(struct output *output, const struct kernel *kernel, const struct event *event)
{
	output_open_object(output, NULL);
	output_number(output, "schema", NULL, 1);
	output_number(output, "seq", NULL, event->seq);
	print_time(output, event);
	output_number(output, "generation", NULL, event->generation);
	print_verdict(output, event);
	print_caller(output, kernel, event);
	if (event->flags & (EVENT_MANY_LISTENERS | EVENT_MANY_BINARIES))
		print_listeners(output, event);
	else if (event->operation == OPERATION_ACCEPT)
		print_listener(output, event);
	else
		print_forgery(output, event);
	output_number(output, "count", NULL, event->count);
	output_close(output);
	return output_end(output);
}
