/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is recorded: a connection that was accepted, a denial with one waiting, and a prctl() that was refused. None is
 * inlined, so that no frame of the stack has to hold everything; false: the event is lost (see CALL() for why there is
 * a result).
 */
#ifndef SOCKACCEPT_RECORD_BPF_H
#define SOCKACCEPT_RECORD_BPF_H

#include "fold.bpf.h"

/* A denial of the connection that waits. `opened`: the fold that its event starts, or NULL. */
static __attribute__((noinline)) bool record_waiting(struct state *state, struct call *call, const struct listener *listener,
						    const struct queue *queue, struct fold *opened)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 ticket;
	struct event *event = begin_event(state, VERDICT_DENY, 1, &ticket);

	if (event) {
		describe_decision(event, call);
		describe_caller(event, task, call);
		describe_listener(event, task, call);
		if (waiting_ends(listener, queue, call->family, &event->local, &event->peer))
			event->flags |= EVENT_HAS_PEER;
	}
	if (opened)
		start_fold(opened, event);
	if (event)
		publish_event(event, ticket);
	return event;
}

/* An accepted connection. `opened`: the fold that its event starts, or NULL. */
static __attribute__((noinline)) bool record_connection(struct state *state, struct task_struct *task, struct call *call,
						       struct sock *child, struct fold *opened)
{
	__u64 ticket;
	struct event *event = begin_event(state, call->answer.verdict, 1, &ticket);

	if (event) {
		describe_decision(event, call);
		describe_caller(event, task, call);
		describe_listener(event, task, call);
		if (connection_ends(child, call->family, &event->local, &event->peer))
			event->flags |= EVENT_HAS_PEER;
	}
	if (opened)
		start_fold(opened, event);
	if (event)
		publish_event(event, ticket);
	return event;
}

/* A connection that was accepted though the policy says deny: in permissive mode. */
static __attribute__((noinline)) bool record_permitted(struct state *state, struct task_struct *task, struct call *call,
						      struct sock *child)
{
	struct fold *opened;

	if (fold_denial(call, call->listener, (__u64)child, &opened))
		return true;
	return record_connection(state, task, call, child, opened);
}

/* A prctl() that would forge an identity. What is about a listener is 0. */
static __attribute__((noinline)) bool record_forgery(struct state *state, struct task_struct *task, struct call *call)
{
	struct event *event;
	struct fold *opened;
	__u64 ticket;

	if (fold_denial(call, 0, 0, &opened))
		return true;
	event = begin_event(state, VERDICT_DENY, 1, &ticket);
	if (event) {
		describe_decision(event, call);
		describe_caller(event, task, call);
		event->sockfd = -1;
		event->family = event->protocol = 0;
		event->netns = event->backlog = event->backlog_max = 0;
		__builtin_memset(&event->local, 0, sizeof(event->local));
		__builtin_memset(&event->peer, 0, sizeof(event->peer));
	}
	if (opened)
		start_fold(opened, event);
	if (event)
		publish_event(event, ticket);
	return event;
}

#endif
