/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What becomes of a call: an event, or one more of a fold. Functions aren't inlined, so that no frame of the stack has to hold
 * everything; false: the event is lost (see CALL() for why there is a result).
 */
#ifndef SOCKACCEPT_RECORD_BPF_H
#define SOCKACCEPT_RECORD_BPF_H

#include "count.bpf.h"
#include "fold.bpf.h"

/* Makes the event that was put together in `call`. */
static __attribute__((noinline)) bool record_event(struct state *state, struct call *call)
{
	__u64 ticket;
	struct event *event = begin_event(state, call->event.verdict, 1, &ticket);

	if (!event)
		return false;
	stamp_event(event, call);
	copy_event(event, &call->event);
	publish_event(event, ticket);
	return true;
}

/* A connection that was returned. Of permissive mode's, those that the policy denies are folded as denials are. */
static __always_inline void record_connection(struct state *state, struct call *call)
{
	struct fold *opened = 0;

	count_connection(state, call);
	/* No two of them are the same connection, though their socks may be at the same address. */
	if (call->event.verdict == VERDICT_DENY && fold_denial(call, call->listener, bpf_ktime_get_boot_ns(), &opened))
		return;
	if (opened)
		CALL(start_fold(state, opened, &call->event));
	CALL(record_event(state, call));
}

#endif
