/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events, in buffers that overwrite the oldest. The protocol of claims stands in sockaccept.h; nothing here relies on
 * being alone, but for a slot after it was claimed.
 */
#ifndef SOCKACCEPT_EVENT_BPF_H
#define SOCKACCEPT_EVENT_BPF_H

#include "call.bpf.h"
#include "compiler.h"
#include "identity.bpf.h"
#include "listener.bpf.h"
#include "unit.bpf.h"

#include <bpf/bpf_tracing.h>

/* How many slots each buffer has, less one: set when the programs are loaded. */
const volatile __u32 slot_mask = DEFAULT_EVENTS - 1;

/* Returns the slot, with *ticket, or NULL. */
static __always_inline struct event *claim_slot(struct state *state, __u32 verdict, __u64 *ticket)
{
	struct buffer_state *buffer = &state->buffer[verdict & (VERDICTS - 1)];
	struct event *event;
	__u64 now, seen;
	__u32 slot;

	UNROLL
	for (int tries = 0; tries < 4; tries++) {
		now = __sync_fetch_and_add(&buffer->tickets, 1);
		slot = (verdict & (VERDICTS - 1)) * (slot_mask + 1) + (now & slot_mask);
		event = bpf_map_lookup_elem(&events, &slot);
		if (!event)
			return 0;
		seen = *(volatile __u64 *)&event->state;
		/* A later ticket's event may be there already, if this run was held up for a whole lap. */
		if (!(seen & 1) && seen < EVENT_READY(now) &&
		    __sync_val_compare_and_swap(&event->state, seen, EVENT_WRITING(now)) == seen) {
			*ticket = now;
			return event;
		}
		*(volatile __u64 *)&event->skipped = now + 1;
	}
	return 0;
}

/* A slot with a number and a time, or NULL: its denials or connections are then lost, and counted as such. */
static __always_inline struct event *begin_event(struct state *state, __u32 verdict, __u32 count, __u64 *ticket)
{
	struct buffer_state *buffer = &state->buffer[verdict & (VERDICTS - 1)];
	struct event *event = claim_slot(state, verdict, ticket);

	if (!event) {
		__sync_fetch_and_add(&buffer->lost, count);
		return 0;
	}
	event->number = __sync_fetch_and_add(&buffer->made, 1);
	event->seq = __sync_fetch_and_add(&state->next_seq, 1);
	event->time_boot = bpf_ktime_get_boot_ns();
	event->time_tai = bpf_ktime_get_tai_ns();
	event->count = count;
	return event;
}

static __always_inline void publish_event(struct event *event, __u64 ticket)
{
	/* An exchange is a full barrier: whoever sees the state sees the event. */
	__sync_lock_test_and_set(&event->state, EVENT_READY(ticket));
}

/* The first argument of accept() and accept4(); io_uring has none. */
static __always_inline __s32 accepting_descriptor(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	struct pt_regs *regs;

	/* The registers of a worker are not of this call, and a 32-bit task numbers its calls otherwise. */
	if (task->flags & (PF_IO_WORKER | PF_KTHREAD) || task->thread_info.status & TS_COMPAT)
		return -1;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	/* The result is -ENOSYS until a system call has one: io_uring's work after an accept() isn't that accept()'s. */
	if ((regs->orig_ax == 43 || regs->orig_ax == 288) && regs->ax == (unsigned long)-ENOSYS)
		return regs->di;
#endif
	return -1;
}

static __always_inline void describe_decision(struct event *event, const struct call *call)
{
	event->generation = call->answer.generation;
	event->verdict = call->answer.verdict;
	event->flags = call->flags;
	event->reason = call->answer.reason;
	event->operation = call->operation;
	event->binary = call->answer.binary;
	event->uid = call->answer.uid;
	event->gid = call->gid;
	if (call->answer.reason == REASON_RULE)
		event->rule = call->answer.rule;
}

static __always_inline void describe_caller(struct event *event, struct task_struct *task, struct call *call)
{
	__u64 id = bpf_get_current_pid_tgid();

	event->pid = id >> 32;
	event->tid = id;
	event->cgroup_id = bpf_get_current_cgroup_id();
	event->unit = unit_of(task, event->cgroup_id, call);
	/* A helper would take 60 instructions more. A name that is being changed right now may come mixed, as from one. */
	((__u64 *)event->comm)[0] = ((volatile __u64 *)task->comm)[0];
	((__u64 *)event->comm)[1] = ((volatile __u64 *)task->comm)[1];
	event->path.length = 0;
	if (call->answer.binary & BINARY_UNNAMED)
		event->path = call->path;
}

static __always_inline void describe_listener(struct event *event, struct task_struct *task, const struct call *call)
{
	event->sockfd = accepting_descriptor(task);
	event->family = call->family;
	event->protocol = call->protocol;
	event->netns = call->netns;
	event->backlog = call->backlog;
	event->backlog_max = call->backlog_max;
	event->local.port = call->answer.port;
}

#endif
