/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What becomes of a call: an event, or one more of a fold. Functions aren't inlined, so that no frame of the stack has to hold
 * everything; false: the event is lost (see CALL() for why there is a result).
 */
#ifndef SOCKACCEPT_RECORD_BPF_H
#define SOCKACCEPT_RECORD_BPF_H

#include "answer.bpf.h"
#include "fold.bpf.h"

/* Makes the event that was put together in `call`. */
VERIFIED_ALONE int record_event(struct state *state, struct call *call)
{
	struct event *event;
	__u64 ticket;

	if (!state || !call)
		return false;
	event = begin_event(state, call->event.verdict, 1, &ticket);
	if (!event)
		return false;
	stamp_event(event, call);
	copy_event(event, &call->event);
	publish_event(event, ticket);
	return true;
}

/*
 * A denial, in which only the path of its binary isn't described yet: an event, or a repeat. `caller`: who makes the call right now;
 * NULL: that was earlier, and its path is described.
 */
static __always_inline bool record_denial(struct state *state, struct call *call, const struct caller *caller)
{
	__u32 what = call->event.operation | call->class << 8;
	int folded = fold_denial(state, &call->event, what, call->port, caller ? current_user() : call->user);

	if (folded == FOLD_LOST)
		__sync_fetch_and_add(&state->buffer[VERDICT_DENY].lost, 1);
	if (folded != FOLD_FIRST)
		return true;
	if (caller)
		describe_path(call, caller);
	if (call->event.binary & BINARY_UNNAMED)
		CALL(keep_path(&call->event, what, call->port));
	return record_event(state, call);
}

/*
 * A connection that was returned, or taken out of a queue. Of permissive mode's, those that the policy denies are folded as denials are.
 */
static __always_inline void record_connection(struct state *state, struct call *call)
{
	if (call->event.operation == OPERATION_DRAINED)
		__sync_fetch_and_add(&state->drained, 1);
	else
		count_connection(state, call);
	if (call->event.verdict == VERDICT_DENY)
		record_denial(state, call, 0);
	else
		CALL(record_event(state, call));
}

#endif
