/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests for new connections of a listener whose gate is shut (gate.bpf.h). They are dropped at the SYN, and the client times out:
 * lsm/inet_conn_request can do no more.
 *
 *   lsm/inet_conn_request    connection_request: refuses requests of a listener on which accept(2) was denied. Runs for each SYN
 *                            of the machine, in a softirq, so it is attached only while the policy wants it. Must never look at
 *                            `current`, which is whatever was interrupted, and must return at once while no gate is shut.
 *   lsm/sctp_assoc_request   association_request: the same for SCTP.
 */
#ifndef SOCKACCEPT_REQUEST_BPF_H
#define SOCKACCEPT_REQUEST_BPF_H

#include "ends.bpf.h"
#include "gate.bpf.h"
#include "pass_on.bpf.h"
#include "refuse.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define KNOCK_NS SECOND_NS

/*
 * Where a refused request is described: it comes in no call of accept(2). One run uses it at a time; on a real-time kernel, others can
 * come in between.
 */
struct request_scratch {
	__u64 busy;
	struct call call;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct request_scratch);
	__uint(max_entries, 1);
} request_scratches SEC(".maps");

/* Asks the drain service to look who holds a listener whose gate refuses a request: at most once in KNOCK_NS. */
static __always_inline void knock(struct gate *gate)
{
	__u64 now = bpf_ktime_get_boot_ns(), then = *(volatile __u64 *)&gate->knocked;

	if (now - then >= KNOCK_NS && __sync_val_compare_and_swap(&gate->knocked, then, now) == then)
		call_drain();
}

/* Puts the ends of a request into `event`, in the form that an accepted socket of the listener's family shows. */
static __always_inline void request_ends(struct request_sock *request, struct event *event)
{
	struct sock_common *common = &request->__req_common;
	bool v4 = request->rsk_ops->family == AF_INET;

	event->local.port = common->skc_num;
	event->peer.port = bpf_ntohs(common->skc_dport);
	__builtin_memset(event->local.address, 0, sizeof(event->local.address));
	__builtin_memset(event->peer.address, 0, sizeof(event->peer.address));
	if (v4 && event->family == AF_INET6) {
		((__u32 *)event->local.address)[2] = ((__u32 *)event->peer.address)[2] = bpf_htonl(0xffff);
		((__u32 *)event->local.address)[3] = common->skc_rcv_saddr;
		((__u32 *)event->peer.address)[3] = common->skc_daddr;
	} else {
		copy_address(&event->local, event->family, common->skc_rcv_saddr, &common->skc_v6_rcv_saddr);
		copy_address(&event->peer, event->family, common->skc_daddr, &common->skc_v6_daddr);
	}
	event->flags |= EVENT_HAS_PEER;
}

/* Describes a refused request, except its ends. Returns NULL if there is no place for it: then it is counted as lost. */
static __always_inline struct request_scratch *describe_gated(struct state *state, const struct gate *gate)
{
	struct request_scratch *scratch;
	struct call *call;
	__u32 zero = 0;

	__sync_fetch_and_add(&state->gated, 1);
	scratch = bpf_map_lookup_elem(&request_scratches, &zero);
	if (!scratch || __sync_val_compare_and_swap(&scratch->busy, 0, 1)) {
		__sync_fetch_and_add(&state->buffer[VERDICT_DENY].lost, 1);
		return 0;
	}
	call = &scratch->call;
	copy_event(&call->event, &gate->event);
	call->event.operation = OPERATION_GATED;
	call->event.sockfd = -1;
	call->event.count = 1;
	call->class = gate->class;
	call->port = gate->port;
	call->user = gate->user;
	return scratch;
}

/* Records a refused request. */
static __attribute__((noinline)) bool record_gated(struct state *state, const struct gate *gate, struct request_sock *request)
{
	struct request_scratch *scratch = describe_gated(state, gate);

	if (!scratch)
		return false;
	request_ends(request, &scratch->call.event);
	record_denial(state, &scratch->call, 0);
	__sync_lock_test_and_set(&scratch->busy, 0);
	return true;
}

/* The same for SCTP; `association` is its address. */
static __attribute__((noinline)) bool record_gated_association(struct state *state, const struct gate *gate, const struct control *control,
							       __u64 association)
{
	struct request_scratch *scratch = describe_gated(state, gate);
	struct event *event;

	if (!scratch)
		return false;
	event = &scratch->call.event;
	__builtin_memset(event->peer.address, 0, sizeof(event->peer.address));
	event->flags &= ~EVENT_HAS_PEER;
	if (association_peer(control, association, event->family, &event->peer))
		event->flags |= EVENT_HAS_PEER;
	record_denial(state, &scratch->call, 0);
	__sync_lock_test_and_set(&scratch->busy, 0);
	return true;
}

/* Returns true if the gate refuses a request under the policy in force. */
static __always_inline bool is_shut(struct gate *gate)
{
	const struct policy_header *header = header_in_force();

	if (!header || !(header->flags & POLICY_GATES) || gate_state(gate, header) != GATE_SHUT)
		return false;
	knock(gate);
	return true;
}

/* Returns the cookie of the MPTCP socket whose subflow `sk` is. If it isn't a subflow, returns 0 or a cookie that no socket has. */
static __always_inline __u64 mptcp_cookie(struct sock *sk)
{
	struct inet_connection_sock *connection = (void *)sk;
	struct mptcp_subflow_context *subflow;

	if (!bpf_core_type_exists(struct mptcp_subflow_context))
		return 0;
	subflow = BPF_CORE_READ(connection, icsk_ulp_data);
	return subflow ? BPF_CORE_READ(subflow, conn, __sk_common.skc_cookie.counter) : 0;
}

/* Returns the gate of the listener `sk`, or of the MPTCP socket whose subflow it is; NULL: there is none. */
static __always_inline struct gate *gate_of_request(struct sock *sk)
{
	struct gate *gate = bpf_sk_storage_get(&gates, sk, 0, 0);
	__u64 cookie;

	if (gate)
		return gate;
	cookie = mptcp_cookie(sk);
	return cookie ? indirect_gate(cookie, false) : 0;
}

/* Returns true if a request for a new connection of the listener `sk` is to be refused, and records it. */
static __attribute__((noinline)) bool refuses_request(struct state *state, struct sock *sk, struct request_sock *request)
{
	struct gate *gate = gate_of_request(sk);

	if (!gate || !is_shut(gate))
		return false;
	CALL(record_gated(state, gate, request));
	return true;
}

/* The same for SCTP, where the listener is found from the association that is to be made. */
static __attribute__((noinline)) bool refuses_association(struct state *state, __u64 association)
{
	struct control *there;
	struct gate *gate;
	struct sock *sk = 0;
	__u32 zero = 0;

	there = bpf_map_lookup_elem(&control, &zero);
	if (!there || !there->sctp.known)
		return false;
	bpf_probe_read_kernel(&sk, sizeof(sk), (void *)(association + there->sctp.socket));
	gate = indirect_gate(BPF_CORE_READ(sk, __sk_common.skc_cookie.counter), false);
	if (!gate || !is_shut(gate))
		return false;
	CALL(record_gated_association(state, gate, there, association));
	return true;
}

/* Returns the counters while some gate may be shut, else NULL. Nearly all requests need no more than this. */
static __always_inline struct state *state_with_gates(void)
{
	struct state *counters;
	__u32 zero = 0;

	counters = bpf_map_lookup_elem(&state, &zero);
	return counters && *(volatile __u64 *)&counters->gates ? counters : 0;
}

SEC("lsm/inet_conn_request")
int BPF_PROG(connection_request, struct sock *sk, struct sk_buff *skb, struct request_sock *req, int ret)
{
	struct state *counters = state_with_gates();

	if (ret)
		return pass_on(ret);
	return counters && refuses_request(counters, sk, req) ? refuse(EPERM) : 0;
}

SEC("lsm/sctp_assoc_request")
int BPF_PROG(association_request, struct sctp_association *asoc, struct sk_buff *skb, int ret)
{
	struct state *counters = state_with_gates();

	if (ret)
		return pass_on(ret);
	return counters && refuses_association(counters, (__u64)asoc) ? refuse(EPERM) : 0;
}

#endif
