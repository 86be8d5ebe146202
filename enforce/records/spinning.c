/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Measures for each server how fast its denials come, window by window.
 */
#include "enforce/records/spinning.h"

#include <inttypes.h>
#include <stdio.h>

#include "enforce/records/event.h"

#define SECOND 1000000000LL

static bool is_of(const struct spinner *spinner, const struct event *event)
{
	return spinner->binary == event->binary && spinner->port == event->listener_port && spinner->uid == event->uid &&
	       spinner->generation == event->generation && spinner->operation == event->operation && spinner->family == event->family &&
	       spinner->protocol == event->protocol;
}

static struct spinner *quietest(struct spinning *spinning)
{
	struct spinner *found = &spinning->list[0];

	for (size_t i = 1; i < SPINNERS_MAX; i++)
		if (spinning->list[i].last < found->last)
			found = &spinning->list[i];
	return found;
}

static struct spinner *find(struct spinning *spinning, const struct event *event)
{
	struct spinner *spinner;

	for (size_t i = 0; i < spinning->count; i++)
		if (is_of(&spinning->list[i], event))
			return &spinning->list[i];
	spinner = spinning->count < SPINNERS_MAX ? &spinning->list[spinning->count++] : quietest(spinning);
	*spinner = (struct spinner){
		.generation = event->generation,
		.uid = event->uid,
		.binary = event->binary,
		.port = event->listener_port,
		.family = event->family,
		.protocol = event->protocol,
		.operation = event->operation,
		.last = (int64_t)event->time_boot,
	};
	return spinner;
}

struct spinner *spinning_note(struct spinning *spinning, const struct event *event)
{
	const uint32_t several = DIFFER_BINARY | DIFFER_PORT | DIFFER_UID | DIFFER_GENERATION | DIFFER_OPERATION;
	struct spinner *spinner;
	int64_t passed;

	if (event->verdict != VERDICT_DENY || event->operation > OPERATION_ATTEMPT || event->differ & several)
		return NULL;
	spinner = find(spinning, event);
	passed = (int64_t)event->time_boot - spinner->last;
	spinner->last = (int64_t)event->time_boot;
	/* The first event of a series says nothing of the time before it. */
	if (event->count == 1 || passed <= 0 || event->count / (double)passed * SECOND <= SPINNING_RATE) {
		spinner->ns = 0;
		spinner->denials = 0;
		spinner->told = false;
		return NULL;
	}
	spinner->ns += passed;
	spinner->denials += event->count;
	return spinner->ns >= SPINNING_NS ? spinner : NULL;
}

uint64_t spinner_rate(const struct spinner *spinner)
{
	return spinner->ns ? (uint64_t)((double)spinner->denials / (double)spinner->ns * SECOND) : 0;
}

const char *spinner_text(const struct spinner *spinner, const struct record *record, char *text)
{
	const struct event *event = record->event;
	char port[EVENT_PORT_MAX], pid[24] = "";

	if (!(event->differ & DIFFER_PID))
		snprintf(pid, sizeof(pid), " (pid %" PRIu32 ")", event->pid);
	snprintf(text, SPINNER_TEXT_MAX,
		 "%s%s%s%s on %s: %" PRIu64 " denials a second for %" PRIu64 " s, as it tries again at once; "
		 "stop or restart it, or allow it there",
		 record->binary ? "" : "(",
		 record->binary       ?:
			 record->hint ?:
					"?",
		 record->binary ? "" : ")", pid, event_port(event, port), spinner_rate(spinner), (uint64_t)(spinner->ns / SECOND));
	return text;
}
