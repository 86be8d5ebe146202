/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events, in buffers that overwrite the oldest. shared/event.h describes the protocol. A run never relies on being alone, except in a
 * slot that it has claimed.
 */
#ifndef SOCKACCEPT_EVENT_BPF_H
#define SOCKACCEPT_EVENT_BPF_H

#include "call.bpf.h"
#include "shared/compiler.h"

#include <bpf/bpf_helpers.h>

/* How many slots each buffer has, minus one. Set when the programs are loaded. */
const volatile __u32 slot_mask = DEFAULT_EVENTS - 1;

/* Claims a slot, with *ticket. Returns NULL if there is none. */
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
		/* If this run was held up for a whole lap, the event of a later ticket may be there already. */
		if (!(seen & 1) && seen < EVENT_READY(now) &&
		    __sync_val_compare_and_swap(&event->state, seen, EVENT_WRITING(now)) == seen) {
			*ticket = now;
			return event;
		}
		*(volatile __u64 *)&event->skipped = now + 1;
	}
	return 0;
}

/* Claims a slot and numbers it, for `count` denials or connections. Returns NULL if they are lost; they are counted as such. */
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

/* Sets the time of an event that is made just now. What the clocks differ by changes only when one is set, so it is asked once a tick. */
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

/* Copies by words. The compiler doesn't do so by itself for what has no type of that size. */
#define COPY_WORDS(to, from, first, bytes)                                                                   \
	do {                                                                                                 \
		UNROLL                                                                                       \
		for (unsigned i_ = 0; i_ < (bytes) / sizeof(__u64); i_++)                                    \
			((__u64 *)(to))[offsetof(struct event, first) / sizeof(__u64) + i_] =                \
				((const __u64 *)(from))[offsetof(struct event, first) / sizeof(__u64) + i_]; \
	} while (0)

/* Copies what an event says, except its number, its time and its binary's path. */
static __always_inline void copy_facts(struct event *event, const struct event *from)
{
	COPY_WORDS(event, from, generation, offsetof(struct event, rule) - offsetof(struct event, generation));
	if (from->reason == REASON_RULE)
		COPY_WORDS(event, from, rule, sizeof(event->rule));
}

/* Copies what an event says, except its number and its time. */
static __always_inline void copy_event(struct event *event, const struct event *from)
{
	copy_facts(event, from);
	event->path.length = 0;
	if (from->binary & BINARY_UNNAMED)
		COPY_WORDS(event, from, path, sizeof(event->path));
}

/* Lets readers have an event, whose slot was claimed with `ticket`. */
static __always_inline void publish_event(struct event *event, __u64 ticket)
{
	/* An exchange is a full barrier: whoever sees the state sees the event. */
	__sync_lock_test_and_set(&event->state, EVENT_READY(ticket));
}

#endif
