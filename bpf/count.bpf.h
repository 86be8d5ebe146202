/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters, by atomic adds: a program can be preempted at any point, by another run of itself on the same
 * processor too.
 */
#ifndef SOCKACCEPT_COUNT_BPF_H
#define SOCKACCEPT_COUNT_BPF_H

#include "call.bpf.h"
#include "port_table.h"

/* The place of a key in a table of `groups` groups; NO_COUNTER: it is full. */
static __always_inline __u32 find_ports_place(void *table, __u32 groups, __u64 key)
{
	UNROLL
	for (unsigned choice = 0; choice < 2; choice++) {
		__u32 index = port_group_of(key, choice, groups), slot;
		struct port_group *group = bpf_map_lookup_elem(table, &index);

		if (!group)
			continue;
		slot = port_group_place(group, key);
		if (slot < PORT_GROUP_SLOTS)
			return index * PORT_GROUP_SLOTS + slot;
	}
	return NO_COUNTER;
}

/* The counter at a place that find_ports_place() found for `binary`, or NULL. */
static __always_inline struct tally *ports_tally(__u32 binary, __u32 place)
{
	__u32 index = place / PORT_GROUP_SLOTS;
	struct port_group *group;

	if (place == NO_COUNTER)
		return 0;
	if (binary & BINARY_UNNAMED)
		group = bpf_map_lookup_elem(&unnamed_ports, &index);
	else
		group = bpf_map_lookup_elem(&named_ports, &index);
	return group ? &group->tally[place % PORT_GROUP_SLOTS] : 0;
}

static __always_inline struct tally *binary_tally(const struct call *call)
{
	__u32 named = call->binary & BINARY_UNNAMED ? BINARY_ANY : call->binary;
	struct binary_counter *binary = bpf_map_lookup_elem(&binary_counters, &named);

	return binary ? &binary->verdict[call->verdict & (VERDICTS - 1)] : 0;
}

/* Counts a decision, and remembers where, for count_connection(). Returns false if its port has no counter. */
static __attribute__((noinline)) bool count_decision(struct state *state, struct call *call)
{
	__u64 key = port_key(call->binary, call->port, call->verdict);
	struct tally *tally;
	__u64 *hits;

	__sync_fetch_and_add(&state->decisions[call->verdict & (VERDICTS - 1)].decisions, 1);
	hits = bpf_map_lookup_elem(&rule_counters, &call->counter);
	if (hits)
		__sync_fetch_and_add(hits, 1);
	tally = binary_tally(call);
	if (tally)
		__sync_fetch_and_add(&tally->decisions, 1);
	if (call->binary & BINARY_UNNAMED)
		call->ports_place = find_ports_place(&unnamed_ports, UNNAMED_PORT_GROUPS, key);
	else if (call->binary)
		call->ports_place = find_ports_place(&named_ports, NAMED_PORT_GROUPS, key);
	else
		call->ports_place = NO_COUNTER; /* a kernel thread */
	tally = ports_tally(call->binary, call->ports_place);
	if (tally)
		__sync_fetch_and_add(&tally->decisions, 1);
	return tally;
}

/* Counts the connection that a counted decision was about. */
static __always_inline void count_connection(struct state *state, const struct call *call)
{
	struct tally *tally;

	__sync_fetch_and_add(&state->decisions[call->verdict & (VERDICTS - 1)].connections, 1);
	tally = binary_tally(call);
	if (tally)
		__sync_fetch_and_add(&tally->connections, 1);
	tally = ports_tally(call->binary, call->ports_place);
	if (tally)
		__sync_fetch_and_add(&tally->connections, 1);
}

#endif
