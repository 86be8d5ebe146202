/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which events `audit` was asked for. What an event doesn't know matches nothing that asks for it.
 */
#include "enforce/filter.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "enforce/when.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/text.h"

#define IPV4_BITS 96 /* of ::ffff:0:0/96, in which IPv4 lies */

static const char bad_address[] = "write an address, with or without the length of a prefix: 192.0.2.7, 10.0.0.0/8, fe80::/10";
static const char bad_bits[] = "the length of a prefix is up to 32 for IPv4, and up to 128 for IPv6";
static const char bits_beyond[] = "the address has bits set behind the prefix; write the first address of it, or a longer prefix";

static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff };

/* True if the first `bits` bits are the same. */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	uint8_t rest = (uint8_t)(0xff00 >> (bits % 8));

	return !memcmp(a, b, bits / 8) && (!(bits % 8) || !((a[bits / 8] ^ b[bits / 8]) & rest));
}

static bool only_zeros_after(const uint8_t *address, unsigned bits)
{
	for (unsigned i = bits; i < 128; i++)
		if (address[i / 8] & 0x80 >> (i % 8))
			return false;
	return true;
}

const char *prefix_parse(const char *text, struct prefix *prefix)
{
	char address[INET6_ADDRSTRLEN] = "";
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	struct prefix parsed = { .bits = 128 };
	unsigned shift = 0;

	if (length >= sizeof(address))
		return bad_address;
	memcpy(address, text, length);
	if (inet_pton(AF_INET, address, parsed.address + 12) == 1) {
		memcpy(parsed.address, mapped, 12);
		shift = IPV4_BITS;
	} else if (inet_pton(AF_INET6, address, parsed.address) != 1) {
		return bad_address;
	}
	if (slash) {
		if (!isdigit((unsigned char)slash[1]) || strspn(slash + 1, "0123456789") != strlen(slash + 1) || strlen(slash) > 4)
			return bad_bits;
		parsed.bits = (unsigned)strtoul(slash + 1, NULL, 10) + shift;
		if (parsed.bits > 128)
			return bad_bits;
		if (!only_zeros_after(parsed.address, parsed.bits))
			return bits_beyond;
	}
	*prefix = parsed;
	return NULL;
}

bool prefix_matches(const struct prefix *prefix, unsigned family, const struct endpoint *endpoint)
{
	uint8_t address[16];

	if (family != AF_INET && family != AF_INET6)
		return false;
	memcpy(address, family == AF_INET ? mapped : endpoint->address, sizeof(address));
	if (family == AF_INET)
		memcpy(address + 12, endpoint->address, 4);
	return same_bits(address, prefix->address, prefix->bits);
}

static enum status read_times(struct filter *filter, const struct invocation *invocation)
{
	const char *since = invocation->given[OPTION_SINCE], *until = invocation->given[OPTION_UNTIL];
	struct when_now now = when_now();
	bool utc = invocation->given[OPTION_UTC];
	const char *problem;

	filter->since = INT64_MIN;
	problem = since ? when_parse(since, utc, &now, &filter->since) : NULL;
	if (problem)
		return fail(STATUS_USAGE, "--since '%s': %s", since, problem);
	problem = until ? when_parse(until, utc, &now, &filter->until) : NULL;
	if (problem)
		return fail(STATUS_USAGE, "--until '%s': %s", until, problem);
	filter->has_until = until;
	if (until && filter->until < filter->since)
		return fail(STATUS_USAGE, "--until %s is before --since %s; exchange them", until, since);
	return STATUS_DONE;
}

static enum status read_verdict(struct filter *filter, const struct invocation *invocation)
{
	const char *word = invocation->given[OPTION_VERDICT];
	size_t verdict;

	filter->verdicts = TAKES(VERDICT_DENY) | (invocation->given[OPTION_ALL] ? TAKES(VERDICT_ALLOW) : 0);
	if (!word)
		return STATUS_DONE;
	verdict = word_find(word, ini_verdict_words, VERDICTS);
	if (verdict == VERDICTS)
		return fail(STATUS_USAGE, "unknown verdict '%s'; it is `allow` or `deny`", word);
	filter->verdicts = TAKES(verdict);
	return STATUS_DONE;
}

/* The log has the file that a link leads to; who asks may know the link only. */
static enum status read_binary(struct filter *filter, const struct invocation *invocation)
{
	filter->binary = invocation->given[OPTION_BINARY];
	if (!filter->binary)
		return STATUS_DONE;
	if (*filter->binary != '/' && strchr(filter->binary, '/'))
		return fail(STATUS_USAGE, "--binary '%s' is neither a path from the root nor a file name alone; write /...",
			    filter->binary);
	if (*filter->binary == '/')
		filter->resolved = realpath(filter->binary, NULL);
	return STATUS_DONE;
}

static enum status read_peer(struct filter *filter, const struct invocation *invocation)
{
	const char *text = invocation->given[OPTION_PEER];
	const char *problem = text ? prefix_parse(text, &filter->peer) : NULL;

	filter->has_peer = text;
	return problem ? fail(STATUS_USAGE, "--peer '%s': %s", text, problem) : STATUS_DONE;
}

enum status filter_read(struct filter *filter, const struct invocation *invocation)
{
	enum status status = read_times(filter, invocation);

	filter->unit = invocation->given[OPTION_UNIT];
	if (status == STATUS_DONE)
		status = read_verdict(filter, invocation);
	if (status == STATUS_DONE)
		status = read_binary(filter, invocation);
	if (status == STATUS_DONE)
		status = port_items_read(&filter->ports, invocation->given[OPTION_PORT]);
	if (status == STATUS_DONE)
		status = user_items_read(&filter->users, invocation->given[OPTION_USER]);
	if (status == STATUS_DONE)
		status = read_peer(filter, invocation);
	return status;
}

void filter_clear(struct filter *filter)
{
	free(filter->resolved);
	free(filter->ports.list);
	free(filter->users.list);
}

static bool matches_time(const struct filter *filter, const struct event *event)
{
	int64_t time = (int64_t)event->time_boot;

	return time >= filter->since && (!filter->has_until || time <= filter->until);
}

static bool matches_binary(const struct filter *filter, struct names *names, const struct event *event)
{
	const char *path = names_binary(names, event);

	if (!path)
		return false;
	if (*filter->binary != '/')
		return !strcmp(strrchr(path, '/') ? strrchr(path, '/') + 1 : path, filter->binary);
	return !strcmp(path, filter->binary) || (filter->resolved && !strcmp(path, filter->resolved));
}

static enum protocol protocol_of(const struct event *event)
{
	if (event->family == AF_VSOCK)
		return PROTOCOL_VSOCK;
	switch (event->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_MPTCP:
		return PROTOCOL_TCP;
	case IPPROTO_SCTP:
		return PROTOCOL_SCTP;
	default:
		return PROTOCOL_ANY;
	}
}

static bool matches_port(const struct port_item *item, const struct event *event)
{
	if (item->first && (event->local.port < item->first || event->local.port > item->last))
		return false;
	if (item->protocol == PROTOCOL_ANY)
		return true;
	return !(event->flags & EVENT_MANY_LISTENERS) && item->protocol == protocol_of(event);
}

static bool matches_ports(const struct filter *filter, const struct event *event)
{
	if (event->operation != OPERATION_ACCEPT || event->flags & EVENT_MANY_BINARIES)
		return false;
	for (size_t i = 0; i < filter->ports.count; i++)
		if (matches_port(&filter->ports.list[i], event))
			return true;
	return false;
}

static bool matches_user(const struct filter *filter, const struct event *event)
{
	if (event->flags & EVENT_MANY_USERS)
		return false;
	for (size_t i = 0; i < filter->users.count; i++)
		if (filter->users.list[i] == event->uid)
			return true;
	return false;
}

/* As systemctl does, `ssh` stands for `ssh.service`. */
static bool matches_unit(const struct filter *filter, struct names *names, const struct event *event)
{
	const char *unit = names_unit(names, event);
	size_t length = strlen(filter->unit);

	if (!unit || strncmp(unit, filter->unit, length) != 0)
		return false;
	return !unit[length] || (!strchr(filter->unit, '.') && !strcmp(unit + length, ".service"));
}

static bool matches_peer(const struct filter *filter, const struct event *event)
{
	if (!(event->flags & EVENT_HAS_PEER) || event->flags & (EVENT_MANY_LISTENERS | EVENT_MANY_BINARIES))
		return false;
	return prefix_matches(&filter->peer, event->family, &event->peer);
}

bool filter_matches(const struct filter *filter, struct names *names, const struct event *event)
{
	return matches_time(filter, event) && filter->verdicts & TAKES(event->verdict) &&
	       (!filter->binary || matches_binary(filter, names, event)) &&
	       (!filter->ports.count || matches_ports(filter, event)) &&
	       (!filter->users.count || matches_user(filter, event)) &&
	       (!filter->unit || matches_unit(filter, names, event)) && (!filter->has_peer || matches_peer(filter, event));
}
