/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of decisions: counters by atomic adds, and events in buffers that overwrite the oldest.
 *
 * A program can be preempted at any point, by another run of itself on the same processor too: nothing
 * here relies on being alone, but for an event slot after it was claimed.
 */
#ifndef SOCKACCEPT_RECORD_BPF_H
#define SOCKACCEPT_RECORD_BPF_H

#include "compiler.h"
#include "identity.bpf.h"
#include "listener.bpf.h"
#include "port_table.h"

#include <bpf/bpf_tracing.h>

/* Who calls, and what was decided about it. */
struct decided {
	struct task_struct *task;
	const struct policy_header *policy;
	const struct rule_record *rule; /* NULL: the default */
	__u32 binary;
	__u32 uid;
	__u32 gid;
	__u32 verdict;
};

static __always_inline void count(struct tally *tally, bool connection)
{
	__sync_fetch_and_add(connection ? &tally->connections : &tally->attempts, 1);
}

/* The place in a table of `groups` groups; NULL: it is full. */
static __always_inline struct tally *port_tally(void *table, __u32 groups, __u64 key)
{
	struct tally *tally = 0;

	UNROLL
	for (unsigned choice = 0; choice < 2 && !tally; choice++) {
		__u32 index = port_group_of(key, choice, groups);
		struct port_group *group = bpf_map_lookup_elem(table, &index);

		if (group)
			tally = port_group_place(group, key);
	}
	return tally;
}

static __attribute__((noinline)) bool count_decision(struct state *state, __u32 port, bool waiting,
						    const struct decided *decided)
{
	__u64 key = port_key(decided->binary, port, decided->verdict);
	__u32 named = decided->binary & BINARY_UNNAMED ? BINARY_ANY : decided->binary;
	struct binary_counter *binary;
	struct tally *ports;
	__u64 *hits;

	count(&state->decisions[decided->verdict & (VERDICTS - 1)], waiting);
	if (decided->rule) {
		__u32 counter = decided->rule->counter;

		hits = bpf_map_lookup_elem(&rule_counters, &counter);
		if (hits)
			__sync_fetch_and_add(hits, 1);
	}
	binary = bpf_map_lookup_elem(&binary_counters, &named);
	if (binary)
		count(&binary->verdict[decided->verdict & (VERDICTS - 1)], waiting);
	if (named)
		ports = port_tally(&named_ports, NAMED_PORT_GROUPS, key);
	else if (decided->binary)
		ports = port_tally(&unnamed_ports, UNNAMED_PORT_GROUPS, key);
	else
		ports = 0; /* a kernel thread */
	if (ports)
		count(ports, waiting);
	return ports;
}

/* The protocol of claims stands in sockaccept.h. Returns the slot, with *ticket, or NULL. */
static __always_inline struct event *claim_slot(struct state *state, __u32 verdict, __u64 *ticket)
{
	struct buffer_state *buffer = &state->buffer[verdict & (VERDICTS - 1)];
	struct event *event;
	__u64 now, seen;
	__u32 slot;

	UNROLL
	for (int tries = 0; tries < 4; tries++) {
		now = __sync_fetch_and_add(&buffer->tickets, 1);
		slot = now & (EVENT_SLOTS - 1);
		if (verdict == VERDICT_DENY)
			event = bpf_map_lookup_elem(&denied_events, &slot);
		else
			event = bpf_map_lookup_elem(&accepted_events, &slot);
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
	__sync_fetch_and_add(&buffer->lost, 1);
	return 0;
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
	if (regs->orig_ax == 43 || regs->orig_ax == 288)
		return regs->di;
#endif
	return -1;
}

static __always_inline void describe_caller(struct event *event, const struct decided *decided)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct file *exe;

	event->pid = id >> 32;
	event->tid = id;
	event->uid = decided->uid;
	event->gid = decided->gid;
	event->cgroup_id = bpf_get_current_cgroup_id();
	/* A helper would take 60 instructions more. A name that is being changed right now may come mixed, as from one. */
	((__u64 *)event->comm)[0] = ((volatile __u64 *)decided->task->comm)[0];
	((__u64 *)event->comm)[1] = ((volatile __u64 *)decided->task->comm)[1];
	event->binary = decided->binary;
	event->path.length = 0;
	if (decided->binary & BINARY_UNNAMED) {
		exe = executable_of(decided->task);
		if (exe)
			event->flags |= path_of(decided->task, exe, decided->binary, &event->path);
	}
}

static __always_inline void describe_listener(struct event *event, struct task_struct *task,
					      const struct listener *listener, const struct queue *queue)
{
	struct sock *sk = listener->sk;
	__u16 family = sk->__sk_common.skc_family;

	event->sockfd = accepting_descriptor(task);
	event->family = family;
	event->protocol = family == AF_VSOCK ? 0 : sk->sk_protocol;
	event->netns = sk->__sk_common.skc_net.net->ns.inum;
	event->backlog = queue->backlog;
	event->backlog_max = queue->backlog_max;
	if (read_ends(listener, queue, family, &event->local, &event->peer))
		event->flags |= EVENT_HAS_PEER;
}

static __always_inline void describe_decision(struct event *event, const struct decided *decided)
{
	event->generation = decided->policy->generation;
	event->verdict = decided->verdict;
	event->flags = decided->policy->mode == MODE_ENFORCE ? EVENT_ENFORCED : 0;
	event->reason = decided->rule ? REASON_RULE : REASON_DEFAULT;
	event->operation = OPERATION_ACCEPT;
	if (decided->rule)
		event->rule = decided->rule->label;
}

/* A slot with a number and a time, or NULL. */
static __always_inline struct event *begin_event(struct state *state, __u32 verdict, __u64 *ticket)
{
	struct event *event = claim_slot(state, verdict, ticket);

	if (!event)
		return 0;
	event->number = __sync_fetch_and_add(&state->buffer[verdict & (VERDICTS - 1)].made, 1);
	event->seq = __sync_fetch_and_add(&state->next_seq, 1);
	event->time_boot = bpf_ktime_get_boot_ns();
	event->time_tai = bpf_ktime_get_tai_ns();
	event->count = 1;
	return event;
}

static __always_inline void publish_event(struct event *event, __u64 ticket)
{
	/* An exchange is a full barrier: whoever sees the state sees the event. */
	__sync_lock_test_and_set(&event->state, EVENT_READY(ticket));
}

/*
 * Not inlined, so that the stack of what comes before and of this need not fit in one frame. False: there was no slot
 * (see CALL() for why there is a result).
 */
static __attribute__((noinline)) bool record_event(struct state *state, const struct listener *listener,
						  const struct queue *queue, const struct decided *decided)
{
	__u64 ticket;
	struct event *event = begin_event(state, decided->verdict, &ticket);

	if (!event)
		return false;
	describe_decision(event, decided);
	describe_caller(event, decided);
	describe_listener(event, decided->task, listener, queue);
	publish_event(event, ticket);
	return true;
}

/* Counts towards FORGERY_EVENTS. Two at the turn of a second may both begin the new one. */
static __always_inline bool may_record_forgery(struct state *state)
{
	__u64 second = bpf_ktime_get_boot_ns() >> 30;

	if (*(volatile __u64 *)&state->forgery_second != second) {
		*(volatile __u64 *)&state->forgery_second = second;
		*(volatile __u64 *)&state->forgery_events = 0;
	}
	return __sync_fetch_and_add(&state->forgery_events, 1) < FORGERY_EVENTS;
}

/* A prctl() that would forge an identity. What is about a listener is 0. */
static __attribute__((noinline)) bool record_forgery(struct state *state, const struct decided *decided, __u32 operation)
{
	__u64 ticket;
	struct event *event = begin_event(state, VERDICT_DENY, &ticket);

	if (!event)
		return false;
	describe_decision(event, decided);
	event->reason = REASON_PRCTL;
	event->operation = operation;
	describe_caller(event, decided);
	event->sockfd = -1;
	event->family = event->protocol = 0;
	event->netns = event->backlog = event->backlog_max = 0;
	__builtin_memset(&event->local, 0, sizeof(event->local));
	__builtin_memset(&event->peer, 0, sizeof(event->peer));
	publish_event(event, ticket);
	return true;
}

#endif
