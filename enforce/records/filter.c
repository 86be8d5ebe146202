/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compares events with what was asked for. A field that an event doesn't know matches no condition on it.
 */
#include "enforce/records/filter.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bpf/shared/protocol.h"
#include "enforce/kernel/family.h"
#include "enforce/records/event.h"
#include "policy/cleanup.h"

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
	if (!event_is_about_listener(event) || event->differ & DIFFER_PORT || !family_has_ports(event->family))
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

	return matches_time(filter, event) && filter->verdicts & VERDICT_BIT(event->verdict) &&
	       (!filter->binary || matches_binary(filter, record->binary)) && (!filter->ports.count || matches_ports(filter, event)) &&
	       (!filter->users.count || matches_user(filter, event)) && (!filter->unit || matches_unit(filter, record->unit)) &&
	       (!filter->has_peer || matches_peer(filter, event));
}
