/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events, in buffers that overwrite the oldest. The protocol of claims stands in sockaccept.h; nothing here relies on
 * being alone, but for a slot after it was claimed.
 */
#ifndef SOCKACCEPT_EVENT_BPF_H
#define SOCKACCEPT_EVENT_BPF_H

#include "call.bpf.h"
#include "shared/compiler.h"

#include <bpf/bpf_helpers.h>

/* How many slots each buffer has, less one: set when the programs are loaded. */
const volatile __u32 slot_mask = DEFAULT_EVENTS - 1;

/* Returns the slot, with *ticket, or NULL. */
static __always_inline struct event *claim_slot(struct state *state, __u32 verdict, __u64 *ticket)
{
	struct buffer_state *buffer = &state->buffer[verdict & (VERDICTS - 1)];
	struct event *event;
	__u64 now, seen;
	__u32 slot;

	UNROLL
	for (int tries = 0; tries < 4; tries++) {
		now = __sync_fetch_and_add(&buffer->tickets, 1);
		slot = (verdict & (VERDICTS - 1)) * (slot_mask + 1) + (now & slot_mask);
		event = bpf_map_lookup_elem(&events, &slot);
		if (!event)
			return 0;
		seen = *(volatile __u64 *)&event->state;
		/* A later ticket's event may be there already, if this run was held up for a whole lap. */
		if (!(seen & 1) && seen < EVENT_READY(now) &&
		    __sync_val_compare_and_swap(&event->state, seen, EVENT_WRITING(now)) == seen) {
			*ticket = now;
			return event;
		}
		*(volatile __u64 *)&event->skipped = now + 1;
	}
	return 0;
}

/* A slot with a number, for so many denials or connections. NULL: they are lost, and counted as such. */
static __always_inline struct event *begin_event(struct state *state, __u32 verdict, __u32 count, __u64 *ticket)
{
	struct buffer_state *buffer = &state->buffer[verdict & (VERDICTS - 1)];
	struct event *event = claim_slot(state, verdict, ticket);

	if (!event) {
		__sync_fetch_and_add(&buffer->lost, count);
		return 0;
	}
	event->number = __sync_fetch_and_add(&buffer->made, 1);
	event->seq = __sync_fetch_and_add(&state->next_seq, 1);
	return event;
}

/* The time of an event that is made just now. The clocks differ by what changes only when one is set: asked once a tick. */
static __always_inline void stamp_event(struct event *event, struct call *call)
{
	__u64 tick = bpf_jiffies64();

	event->time_boot = bpf_ktime_get_boot_ns();
	if (call->tick != tick) {
		call->tick = tick;
		call->tai_offset = bpf_ktime_get_tai_ns() - event->time_boot;
	}
	event->time_tai = event->time_boot + call->tai_offset;
}

/* By words, which the compiler doesn't do by itself for what has no type of that size. */
#define COPY_WORDS(to, from, first, bytes)                                                     \
	do {                                                                                   \
		UNROLL                                                                         \
		for (unsigned i_ = 0; i_ < (bytes) / sizeof(__u64); i_++)                      \
			((__u64 *)(to))[offsetof(struct event, first) / sizeof(__u64) + i_] =  \
				((const __u64 *)(from))[offsetof(struct event, first) / sizeof(__u64) + i_]; \
	} while (0)

/* What an event says, but for its number and time and the path of its binary. */
static __always_inline void copy_facts(struct event *event, const struct event *from)
{
	COPY_WORDS(event, from, generation, offsetof(struct event, rule) - offsetof(struct event, generation));
	if (from->reason == REASON_RULE)
		COPY_WORDS(event, from, rule, sizeof(event->rule));
}

static __always_inline void copy_event(struct event *event, const struct event *from)
{
	copy_facts(event, from);
	event->path.length = 0;
	if (from->binary & BINARY_UNNAMED)
		COPY_WORDS(event, from, path, sizeof(event->path));
}

static __always_inline void publish_event(struct event *event, __u64 ticket)
{
	/* An exchange is a full barrier: whoever sees the state sees the event. */
	__sync_lock_test_and_set(&event->state, EVENT_READY(ticket));
}

#endif
