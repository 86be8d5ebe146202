// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events without any accept(2), made by the same functions as the hook's: for measuring what reads them. A program of this
 * type loads and runs wherever BPF does.
 */
#include "bpf/kernel_types.h"

#include "bpf/event.bpf.h"
#include "bpf/maps.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* What the events say, and in which buffer they are. */
struct event like;

static long make_one(__u32 index, struct state **state)
{
	struct event *event;
	__u64 ticket;

	event = begin_event(*state, like.verdict, 1, &ticket);
	if (!event)
		return 1;
	copy_event(event, &like);
	event->time_boot = bpf_ktime_get_boot_ns();
	event->time_tai = bpf_ktime_get_tai_ns();
	event->peer.port = 32768 + (event->number & 0x3fff);
	publish_event(event, ticket);
	return 0;
}

/* The context is the number of events. */
SEC("syscall")
int make_events(__u32 *count)
{
	__u32 zero = 0;
	struct state *first = bpf_map_lookup_elem(&state, &zero);

	if (!first)
		return 1;
	return bpf_loop(*count, make_one, &first, 0) != *count;
}
