/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A call of accept(2), from the decision to the record of it.
 *
 *   lsm/socket_accept   socket_accept: decides. If the policy denies the call, returns -EPERM and records that. Runs in every
 *                       accept(2) of the machine. Must never sleep, never allocate without bound, and never cost more with
 *                       100,000 rules than with one.
 *   lsm/sock_graft      connection_graft: notes the connection that the call takes, with its peer. Must never refuse anything.
 *   fexit/do_accept     accept_end: records the connection once the call has returned it. An accept(2) can still fail after it
 *                       took one. Must never take another call's connection for this one's.
 */
#ifndef SOCKACCEPT_ACCEPT_BPF_H
#define SOCKACCEPT_ACCEPT_BPF_H

#include "answer.bpf.h"
#include "drain.bpf.h"
#include "ends.bpf.h"
#include "gate.bpf.h"
#include "pass_on.bpf.h"
#include "refuse.bpf.h"
#include "settle.bpf.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* Clears what may be left of an earlier call where nothing is known of the ends. */
static __always_inline void clear_ends(struct event *event)
{
	__builtin_memset(event->peer.address, 0, sizeof(event->peer.address));
	__builtin_memset(event->local.address, 0, sizeof(event->local.address));
	event->peer.port = 0;
}

/* Counts a denial and describes it. Recording it is left to the caller: it would find no room on the stack above this. */
static __attribute__((noinline)) bool describe_refusal(struct state *state, struct call *call, const struct caller *caller,
						       const struct listener *listener)
{
	struct event *event = &call->event;
	struct queue queue = { 0 };

	read_queue(caller->control, listener, &queue);
	event->operation = OPERATION_ATTEMPT;
	if (queue.waiting) {
		event->operation = OPERATION_ACCEPT;
		count_connection(state, call);
	}
	describe_caller(event, caller);
	describe_listener(call, listener, &queue);
	describe_thread(call, caller->task);
	clear_ends(event);
	if (waiting_ends(caller->control, listener, &queue, event->family, &event->local, &event->peer))
		event->flags |= EVENT_HAS_PEER;
	return true;
}

/* Describes a call that goes on. connection_graft() and accept_end() see what becomes of it. */
static __attribute__((noinline)) bool follow_call(struct call *call, struct socket *newsock, const struct caller *caller,
						  const struct listener *listener)
{
	struct event *event = &call->event;
	struct queue queue = { 0 };

	read_queue(NULL, listener, &queue);
	event->operation = OPERATION_ACCEPT;
	describe_caller(event, caller);
	describe_path(call, caller);
	describe_listener(call, listener, &queue);
	call->newsock = (__u64)newsock;
	if (event->verdict == VERDICT_DENY) { /* in permissive mode. It may become an attempt, and then no more is known of it */
		clear_ends(event);
		bound_address(listener->sk, listener->family, &event->local);
		call->user = current_user();
	}
	return true;
}

enum decision {
	DECISION_PASSES,
	DECISION_DENIED,  /* the mode says whether that is enforced */
	DECISION_REFUSED, /* in any mode: it was to take out a connection that may not be taken out */
};

/* Decides what `caller` asks by `call`, and records it or follows it. */
static __always_inline enum decision decide_call(struct state *state, struct call *call, struct socket *newsock, struct caller *caller,
						 const struct listener *listener)
{
	bool deny, drains;

	drains = may_drain(caller) && is_drain(caller, listener);
	if (*(volatile __u64 *)&state->other_calls)
		CALL(settle_other(state, caller->task, call));
	describe_task(&call->event);
	answer_caller(call, caller, listener);
	if (drains) {
		if (take_out(state, call, caller, listener)) {
			call->newsock = (__u64)newsock;
			return DECISION_PASSES;
		}
		end_call(state, caller->task, call);
		return DECISION_REFUSED;
	}
	count_decision(state, call);
	deny = call->event.verdict == VERDICT_DENY;
	if (deny && caller->policy->mode == MODE_ENFORCE) {
		CALL(describe_refusal(state, call, caller, listener));
		if (caller->policy->flags & (POLICY_GATES | POLICY_DRAINS))
			CALL(note_denied(state, call, caller, listener));
		record_denial(state, call, caller);
		end_call(state, caller->task, call);
	} else {
		CALL(follow_call(call, newsock, caller, listener));
		if (!deny && !is_noted(state, call, listener->sk) && caller->policy->flags & (POLICY_GATES | POLICY_DRAINS) &&
		    !throws_away(caller->task))
			CALL(note_allowed(state, call, listener));
	}
	return deny ? DECISION_DENIED : DECISION_PASSES;
}

/*
 * Decides about a call that can't be followed, and returns true if it is refused. For want of memory it has no place, so what becomes
 * of it is lost. The other such call is the `self_test`: it is refused, or decided by the policy if SELF_TEST_DECIDE asks for that.
 */
static __attribute__((noinline)) bool refuses_unfollowed(struct state *state, const struct caller *caller, const struct listener *listener,
							 bool self_test)
{
	volatile __u64 *word = &caller->control->self_test;
	const struct rule_record *rule;
	__u32 verdict;

	if (self_test && !(*word & SELF_TEST_DECIDE))
		return true;
	rule = rule_for(caller, listener, passing_time(caller->policy));
	verdict = rule ? rule->label.verdict : caller->policy->verdict;
	if (self_test) {
		*word = SELF_TEST_DECIDED | verdict;
	} else {
		__sync_fetch_and_add(&state->decisions[verdict & (VERDICTS - 1)].decisions, 1);
		__sync_fetch_and_add(&state->buffer[verdict & (VERDICTS - 1)].lost, 1);
	}
	return verdict == VERDICT_DENY && caller->policy->mode == MODE_ENFORCE;
}

SEC("lsm/socket_accept")
int BPF_PROG(socket_accept, struct socket *sock, struct socket *newsock, int ret)
{
	struct listener listener = { 0 };
	struct caller caller = { 0 };
	struct sock *sk = sock->sk;
	struct state *counters;
	enum decision decision;
	struct call *call;
	__u16 family = 0;
	__u32 zero = 0;
	bool self_test;

	counters = bpf_map_lookup_elem(&state, &zero);
	if (!counters)
		return pass_on(ret);
	if (ret) {
		__sync_fetch_and_add(&counters->refused_earlier, 1);
		CALL(settle_leftover(counters, bpf_get_current_task_btf()));
		return pass_on(ret);
	}
	if (sk)
		family = sk->__sk_common.skc_family;
	if (!sk || !is_mediated(family)) {
		__sync_fetch_and_add(&counters->unmediated, 1);
		CALL(settle_leftover(counters, bpf_get_current_task_btf()));
		return 0;
	}
	read_listener(&listener, sk, family);
	if (!read_caller(listener.port, &caller))
		return 0;
	self_test = is_self_test(caller.control, sk);
	call = self_test ? 0 : start_call(counters, caller.task);
	if (!call)
		return refuses_unfollowed(counters, &caller, &listener, self_test) ? refuse(EPERM) : 0;
	decision = decide_call(counters, call, newsock, &caller, &listener);
	if (decision == DECISION_REFUSED)
		return refuse(EPERM);
	if (caller.policy->mode != MODE_ENFORCE)
		return 0;
	if (decision == DECISION_DENIED)
		return refuse(EPERM);
	return is_idle(sock, &listener) ? refuse(EINVAL) : 0;
}

/*
 * The kernel's own accepts come here too. Nobody has decided about them: their `socket` is not that of any call. Runs with the sock
 * locked, in the thread that accepts.
 */
SEC("lsm/sock_graft")
int BPF_PROG(connection_graft, struct sock *sk, struct socket *socket)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct state *counters;
	struct event *event;
	struct call *call;
	__u32 zero = 0;

	counters = bpf_map_lookup_elem(&state, &zero);
	if (!counters)
		return 0;
	call = call_of(counters, task);
	if (!call || call->newsock != (__u64)socket)
		return 0;
	event = &call->event;
	if (connection_ends(sk, event->family, &event->local, &event->peer))
		event->flags |= EVENT_HAS_PEER;
	/* If the client has reset the connection already, its own port is gone (Linux, tcp_set_state()). It was the listener's. */
	if (!event->local.port)
		event->local.port = event->listener_port;
	if (event->operation != OPERATION_DRAINED)
		describe_thread(call, task);
	call->sweep = counters->sweeps;
	__sync_lock_test_and_set(&call->grafted, (__u64)sk);
	return 0;
}

/* Records a denied call that permissive mode let pass and that has taken nothing: an attempt. */
static __attribute__((noinline)) bool record_attempt(struct state *state, struct call *call, struct task_struct *task)
{
	call->event.operation = OPERATION_ATTEMPT;
	describe_thread(call, task);
	return record_denial(state, call, 0);
}

/* The kernel's own accepts (kernel_accept()) don't come here. */
SEC("fexit/do_accept")
int BPF_PROG(accept_end, struct file *listener, void *argument, void *address, void *length, int flags, struct file *accepted)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 result = 0;
	struct state *counters;
	struct call *call;
	__u32 zero = 0;

	counters = bpf_map_lookup_elem(&state, &zero);
	if (!counters)
		return 0;
	call = call_of(counters, task);
	if (!call)
		return 0;
	bpf_get_func_ret(ctx, &result);
	if (take_grafted(call)) {
		if (result < (__u64)-MAX_ERRNO || call->event.operation == OPERATION_DRAINED)
			record_connection(counters, call);
		else /* EFAULT: it couldn't tell the caller who the peer is */
			__sync_fetch_and_add(&counters->failed, 1);
	} else if (call->event.verdict == VERDICT_DENY && call->event.operation != OPERATION_DRAINED && result >= (__u64)-MAX_ERRNO) {
		CALL(record_attempt(counters, call, task));
	}
	end_call(counters, task, call);
	return 0;
}

#endif
