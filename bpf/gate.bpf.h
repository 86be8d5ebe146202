/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate: a listener on which an accept(2) was denied takes no new connections under that policy. So none can wait there for a server
 * that may not take it (request.bpf.h refuses them).
 *
 * A listener on which an accept(2) was allowed under the same policy has no gate, whoever else is denied there. The kernel doesn't see
 * when a listener is handed over to somebody who may accept, and who waits for a connection to do so. So a refused request knocks, at
 * most once a second: the drain service (enforce/verbs/drain.c) looks who holds the listener, and opens the gate if one of them may
 * accept. No request is let through to find out, because each would make a denied server spin for a moment, and most servers log each
 * turn.
 *
 * With the socket is kept the event of the denial that shut the gate. What the gate refuses is recorded as that event, with other ends.
 */
#ifndef SOCKACCEPT_GATE_BPF_H
#define SOCKACCEPT_GATE_BPF_H

#include "record.bpf.h"

#include <bpf/bpf_helpers.h>

struct gate {
	__u64 claimed;    /* generation for which somebody is writing the rest */
	__u64 generation; /* of the policy under which an accept(2) was denied. Set last */
	__u64 allowed;    /* of the policy under which one was last allowed: there is no gate under that policy */
	__u64 until;      /* when the temporary rule ends that denied it; 0: no temporary rule did */
	__u64 knocked;    /* when a refused request last knocked */
	__u32 wanted;     /* 1: the drain service was asked to drain it, and hasn't yet */
	__u32 class;      /* as in struct call */
	__u32 port;
	__u32 user;
	struct event event;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__type(key, int);
	__type(value, struct gate);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} gates SEC(".maps");

/* By cookie. Bounded: a gate that was pushed out is shut again by the next denial. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, __u64);
	__type(value, struct gate);
	__uint(max_entries, 1024);
} indirect_gates SEC(".maps");

static const struct gate blank_gate;

/* True if the requests of a listener come with another object than its socket, from which only the socket's cookie can be found. */
static __always_inline bool is_indirect(__u16 protocol)
{
	return protocol == IPPROTO_MPTCP || protocol == IPPROTO_SCTP;
}

/* Returns the gate of the listener with this cookie, of such a protocol. */
static __always_inline struct gate *indirect_gate(__u64 cookie, bool create)
{
	struct gate *gate = bpf_map_lookup_elem(&indirect_gates, &cookie);

	if (gate || !create)
		return gate;
	bpf_map_update_elem(&indirect_gates, &cookie, &blank_gate, BPF_NOEXIST);
	return bpf_map_lookup_elem(&indirect_gates, &cookie);
}

/* Returns the gate of a listener. NULL: it has none; or with `create`: no memory. */
static __always_inline struct gate *gate_of(struct sock *sk, __u16 protocol, bool create)
{
	if (is_indirect(protocol))
		return indirect_gate(bpf_get_socket_cookie(sk), create);
	return bpf_sk_storage_get(&gates, sk, 0, create ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
}

/*
 * Forgets a gate whose temporary rule has ended: the next denial shuts it as if it were new. In this order, because others wait for the
 * claim.
 */
static __always_inline void forget_ended(struct gate *gate)
{
	if (!gate->until || bpf_ktime_get_boot_ns() < gate->until)
		return;
	*(volatile __u64 *)&gate->generation = 0;
	*(volatile __u64 *)&gate->until = 0;
	__sync_lock_test_and_set(&gate->claimed, 0);
}

/* Shuts the gate with the denial in `call`, whose path is described. Returns true if it wasn't shut before. */
static __always_inline bool shut_gate(struct gate *gate, const struct call *call, __u32 user)
{
	__u64 generation = call->event.generation, claimed;

	forget_ended(gate);
	claimed = *(volatile __u64 *)&gate->claimed;
	if (claimed != generation && __sync_val_compare_and_swap(&gate->claimed, claimed, generation) == claimed) {
		copy_event(&gate->event, &call->event);
		gate->class = call->class;
		gate->port = call->port;
		gate->until = call->until;
		gate->user = user;
		/* A full barrier: whoever sees the generation sees the rest. */
		__sync_lock_test_and_set(&gate->generation, generation);
		return true;
	}
	return false;
}

/* Asks the drain service to look at the listeners. */
static __always_inline void call_drain(void)
{
	__u64 call = 0;

	bpf_ringbuf_output(&drain_calls, &call, sizeof(call), 0);
}

/* Notes a denial that is enforced. */
static __attribute__((noinline)) bool note_denied(struct state *state, struct call *call, const struct caller *caller,
						  const struct listener *listener)
{
	struct gate *gate = gate_of(listener->sk, listener->protocol, true);

	if (!gate)
		return false;
	if (gate->allowed != call->event.generation) {
		if (gate->generation != call->event.generation)
			describe_path(call, caller);
		if (shut_gate(gate, call, current_user()) || !*(volatile __u64 *)&state->gates)
			__sync_fetch_and_add(&state->gates, 1);
	}
	/* A connection waits. Asks once, until it is taken out. */
	if (call->event.operation == OPERATION_ACCEPT && !*(volatile __u32 *)&gate->wanted) {
		*(volatile __u32 *)&gate->wanted = 1;
		call_drain();
	}
	return true;
}

/* Notes an accept(2) that is allowed: the first one by this thread, on this listener, under this policy. */
static __attribute__((noinline)) bool note_allowed(struct state *state, struct call *call, const struct listener *listener)
{
	struct gate *gate = gate_of(listener->sk, listener->protocol, true);

	if (!gate)
		return false;
	/* Read before: if a gate is shut meanwhile, the call is noted again. */
	call->gates = *(volatile __u64 *)&state->gates;
	*(volatile __u64 *)&gate->allowed = call->event.generation;
	call->opened = bpf_get_socket_cookie(listener->sk);
	return true;
}

/* True if note_allowed() would say nothing new: it ran for this listener, and no gate was shut since. */
static __always_inline bool is_noted(const struct state *state, const struct call *call, struct sock *sk)
{
	__u64 cookie = sk->__sk_common.skc_cookie.counter;

	return cookie && call->opened == cookie && call->gates == *(volatile __u64 *)&state->gates;
}

/* Returns what accepts on a listener have come to under the policy with `header`: enum gate_state. */
static __always_inline __u32 gate_state(const struct gate *gate, const struct policy_header *header)
{
	if (!gate || header->mode != MODE_ENFORCE)
		return GATE_UNKNOWN;
	if (gate->allowed == header->generation)
		return GATE_OPEN;
	if (gate->generation != header->generation)
		return GATE_UNKNOWN;
	return gate->until && bpf_ktime_get_boot_ns() >= gate->until ? GATE_UNKNOWN : GATE_SHUT;
}

/* Returns the header of the policy in force; NULL: there is none. */
static __always_inline const struct policy_header *header_in_force(void)
{
	const struct policy_header *header = 0;
	struct control *there;
	__u32 zero = 0;

	there = bpf_map_lookup_elem(&control, &zero);
	return there && image_in_force(there, &header) ? header : 0;
}

/* Returns enum gate_state under the policy in force. */
static __always_inline __u32 gate_now(const struct gate *gate)
{
	const struct policy_header *header = gate ? header_in_force() : 0;

	return header ? gate_state(gate, header) : GATE_UNKNOWN;
}

#endif
