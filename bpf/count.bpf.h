/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters. Only by atomic adds: a program can be preempted at any point, also by another run of itself on the same processor.
 */
#ifndef SOCKACCEPT_COUNT_BPF_H
#define SOCKACCEPT_COUNT_BPF_H

#include "call.bpf.h"
#include "shared/port_table.h"

/* Where a decision is counted by binary and port: a place in `ports`. NO_PLACE: in the binary's `other_ports`. */
#define NO_PLACE 0xffffffffU

/* Returns the place of a key, and takes one if it has none yet. NO_PLACE: the table is full. */
static __always_inline __u32 find_place(__u64 key, bool named)
{
	UNROLL
	for (unsigned choice = 0; choice < 2; choice++) {
		__u32 index = port_group_of(key, choice, named), slot;
		struct port_group *group = bpf_map_lookup_elem(&ports, &index);

		if (!group)
			continue;
		slot = port_group_place(group, key);
		if (slot < PORT_GROUP_SLOTS)
			return index * PORT_GROUP_SLOTS + slot;
	}
	return NO_PLACE;
}

/* Returns the counter by binary and port that a call is counted in; NULL: there is none. */
static __always_inline struct tally *tally_of(const struct call *call)
{
	__u32 place = call->place, index = place / PORT_GROUP_SLOTS, binary;
	struct port_group *group = bpf_map_lookup_elem(&ports, &index);
	struct binary_counter *other;

	if (group)
		return &group->tally[place % PORT_GROUP_SLOTS];
	binary = call->event.binary & BINARY_UNNAMED ? BINARY_ANY : call->event.binary;
	other = bpf_map_lookup_elem(&other_ports, &binary);
	return other ? &other->verdict[call->event.verdict & (VERDICTS - 1)] : 0;
}

/* Counts a hit of a rule. The time of the last hit is set once a tick, as asking for it costs more than a test. */
static __always_inline void count_hit(struct rule_counter *counter)
{
	__u64 tick = bpf_jiffies64();

	__sync_fetch_and_add(&counter->hits, 1);
	if (counter->tick == tick)
		return;
	counter->tick = tick;
	counter->last = bpf_ktime_get_boot_ns();
}

/* Counts a decision: in all, by binary and port, and by rule. */
static __always_inline void count_decision(struct state *state, const struct call *call)
{
	struct rule_counter *counter = bpf_map_lookup_elem(&rule_counters, &call->counter);
	struct tally *tally = tally_of(call);

	__sync_fetch_and_add(&state->decisions[call->event.verdict & (VERDICTS - 1)].decisions, 1);
	if (tally)
		__sync_fetch_and_add(&tally->decisions, 1);
	if (counter)
		count_hit(counter);
}

/* Counts the connection that a counted decision was about. */
static __always_inline void count_connection(struct state *state, const struct call *call)
{
	struct tally *tally = tally_of(call);

	__sync_fetch_and_add(&state->decisions[call->event.verdict & (VERDICTS - 1)].connections, 1);
	if (tally)
		__sync_fetch_and_add(&tally->connections, 1);
}

#endif
