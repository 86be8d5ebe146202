/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds in an event what filters, tables and messages need alike.
 */
#include "enforce/records/event.h"

#include <stdio.h>

#include "enforce/base/when.h"
#include "enforce/kernel/family.h"

const char *const event_reason_words[REASONS] = { "default", "rule", "prctl", "moved" };
const char *const event_operation_words[OPERATIONS] = { "accept",        "attempt",           "listen", "gated", "drained",
							"PR_SET_MM_MAP", "PR_SET_MM_EXE_FILE" };

bool event_is_about_listener(const struct event *event)
{
	return event->operation <= OPERATION_DRAINED;
}

const char *event_port(const struct event *event, char *text)
{
	const char *protocol = protocol_word(event->family, event->protocol);

	if (event->differ & DIFFER_PORT)
		snprintf(text, EVENT_PORT_MAX, "several");
	else if (!family_has_ports(event->family))
		snprintf(text, EVENT_PORT_MAX, "%s", protocol);
	else if (event->differ & (DIFFER_FAMILY | DIFFER_PROTOCOL))
		snprintf(text, EVENT_PORT_MAX, "%u", event->listener_port);
	else
		snprintf(text, EVENT_PORT_MAX, "%u/%s", event->listener_port, protocol);
	return text;
}

int64_t event_real(const struct event *event)
{
	return (int64_t)event->time_tai - when_tai_offset() * 1000000000LL;
}
