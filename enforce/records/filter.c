/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which events `audit` was asked for. What an event doesn't know matches nothing that asks for it.
 */
#include "enforce/records/filter.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bpf/shared/protocol.h"
#include "enforce/base/when.h"
#include "enforce/records/event.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/text.h"

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
	/* Who follows until 18:00 means one that is still to come. */
	if (until && invocation->given[OPTION_FOLLOW] && when_is_clock(until) && strchr(until, ':'))
		filter->until += 86400 * 1000000000LL;
	filter->has_until = until;
	filter->utc = utc;
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
	user_items_clear(&filter->users);
}

static bool matches_time(const struct filter *filter, const struct event *event)
{
	int64_t time = (int64_t)event->time_boot;

	return time >= filter->since && (!filter->has_until || time <= filter->until);
}

static bool matches_binary(const struct filter *filter, const char *path)
{
	if (!path)
		return false;
	if (*filter->binary != '/')
		return !strcmp(strrchr(path, '/') ? strrchr(path, '/') + 1 : path, filter->binary);
	return !strcmp(path, filter->binary) || (filter->resolved && !strcmp(path, filter->resolved));
}

static bool matches_port(const struct port_item *item, const struct event *event)
{
	__u32 class = event->family == AF_VSOCK ? PROTOCOL_VSOCK : class_of(event->protocol);

	if (item->first && (event->listener_port < item->first || event->listener_port > item->last))
		return false;
	if (item->protocol == PROTOCOL_ANY)
		return true;
	return !(event->differ & (DIFFER_FAMILY | DIFFER_PROTOCOL)) && item->protocol == class;
}

static bool matches_ports(const struct filter *filter, const struct event *event)
{
	if (!event_is_about_listener(event) || event->differ & DIFFER_PORT || !event_has_ports(event->family))
		return false;
	for (size_t i = 0; i < filter->ports.count; i++)
		if (matches_port(&filter->ports.list[i], event))
			return true;
	return false;
}

static bool matches_user(const struct filter *filter, const struct event *event)
{
	if (event->differ & DIFFER_UID)
		return false;
	for (size_t i = 0; i < filter->users.count; i++)
		if (filter->users.list[i] == event->uid)
			return true;
	return false;
}

/* As systemctl does, `ssh` stands for `ssh.service`. */
static bool matches_unit(const struct filter *filter, const char *unit)
{
	size_t length = strlen(filter->unit);

	if (!unit || strncmp(unit, filter->unit, length) != 0)
		return false;
	return !unit[length] || (!strchr(filter->unit, '.') && !strcmp(unit + length, ".service"));
}

static bool matches_peer(const struct filter *filter, const struct event *event)
{
	if (!(event->flags & EVENT_HAS_PEER))
		return false;
	return prefix_matches(&filter->peer, event->family, &event->peer);
}

bool filter_matches(const struct filter *filter, const struct record *record)
{
	const struct event *event = record->event;

	return matches_time(filter, event) && filter->verdicts & TAKES(event->verdict) &&
	       (!filter->binary || matches_binary(filter, record->binary)) &&
	       (!filter->ports.count || matches_ports(filter, event)) &&
	       (!filter->users.count || matches_user(filter, event)) &&
	       (!filter->unit || matches_unit(filter, record->unit)) && (!filter->has_peer || matches_peer(filter, event));
}
