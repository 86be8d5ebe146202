/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What becomes of a call: an event, or one more repeat in a fold. Functions are not inlined, so that no stack frame has to hold
 * everything. They return false if the event is lost (CALL() in shared/compiler.h says why they return anything).
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
 * Records a denial, whose binary's path isn't described yet: as an event, or as a repeat. `caller`: who makes the call right now; NULL:
 * the call was earlier, and the path is described.
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
 * Records a connection that was returned, or taken out of a queue. If permissive mode let pass what the policy denies, it is folded as
 * denials are.
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
