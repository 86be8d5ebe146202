/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records a refused call that isn't an accept(2): listen(2), bind(2) or prctl(2).
 */
#ifndef SOCKACCEPT_OFFENCE_BPF_H
#define SOCKACCEPT_OFFENCE_BPF_H

#include "answer.bpf.h"
#include "ends.bpf.h"
#include "settle.bpf.h"

#include <bpf/bpf_helpers.h>

/*
 * Describes such a call. `what`: bits 0 to 7 enum reason, from bit 8 enum operation. `listener`: that of a listen(2) or bind(2); NULL:
 * fields about a listener are 0.
 */
static __attribute__((noinline)) bool describe_offence(struct call *call, const struct caller *caller, __u32 what,
						       const struct listener *listener)
{
	struct queue queue = { 0 };
	struct event *event = &call->event;

	describe_task(event);
	describe_caller(event, caller);
	describe_thread(call, caller->task);
	/* This is no answer to an accept(2): never take it for one. */
	call->passing = 1;
	call->class = CLASS_NONE;
	call->port = 0;
	event->generation = caller->policy->generation;
	event->binary = caller->binary;
	event->uid = caller->uid;
	event->verdict = VERDICT_DENY;
	event->reason = what;
	event->operation = what >> 8;
	event->family = event->protocol = 0;
	event->netns = event->backlog = event->backlog_max = event->listener_port = 0;
	__builtin_memset(&event->local, 0, sizeof(event->local));
	__builtin_memset(&event->peer, 0, sizeof(event->peer));
	if (listener) {
		call->class = listener->class;
		call->port = listener->port;
		describe_listener(call, listener, &queue);
		bound_address(listener->sk, event->family, &event->local);
	} else {
		event->sockfd = -1;
	}
	return true;
}

/* Records such a call. Parameters as above. */
static __always_inline void record_offence(struct state *state, const struct caller *caller, __u32 what, const struct listener *listener)
{
	struct call *call = start_call(state, caller->task);

	if (!call)
		return;
	CALL(describe_offence(call, caller, what, listener));
	record_denial(state, call, caller);
	end_call(state, caller->task, call);
}

#endif
