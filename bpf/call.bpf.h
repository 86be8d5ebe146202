/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls of accept(2) that are under way.
 *
 * When a call begins, the hook decides. Whether it returns a connection, and which, is known later, maybe hours later. Meanwhile what
 * is to be recorded is put together in a place of the call's own.
 *
 * A thread makes one call at a time, so its place is found by its number. Numbers have more bits than there are places, so another
 * thread may be there. Then the call is kept in the thread's own storage, which costs more.
 */
#ifndef SOCKACCEPT_CALL_BPF_H
#define SOCKACCEPT_CALL_BPF_H

#include "maps.bpf.h"

#include <bpf/bpf_helpers.h>

#define CALLS 4096 /* a power of two */
#define NO_COUNTER 0xffffffffU

struct call {
	__u64 task;       /* address of the thread; 0: the place is free */
	__u64 grafted;    /* address of the sock of a connection that is not recorded yet; 0: none; or SETTLING */
	__u64 newsock;    /* address of the socket that is to become the connection's */
	__u64 cgroup;     /* whose unit is in the event: kept from one call to the next, as is the answer */
	__u64 tai_offset; /* ns that CLOCK_TAI was ahead of CLOCK_BOOTTIME at `tick` */
	__u64 tick;       /* jiffies */
	__u32 sweep;      /* state.sweeps when it was grafted */
	__u32 class;      /* of the listener: enum protocol. CLASS_NONE: the event is not about a listener */
	__u32 counter;    /* of the rule, or NO_COUNTER */
	__u32 place;      /* where it is counted (count.bpf.h) */
	__u32 port;       /* of the listener, as the policy was asked about it */
	__u32 user;       /* whose share it takes from, if it is denied and permissive mode lets it pass (share.bpf.h) */
	__u64 passing;    /* 1: temporary rules were in force when it was answered. Don't use the answer again */
	__u64 until;      /* when the temporary rule ends that gave the answer; 0: no temporary rule did */
	__u64 gates;      /* state.gates when `opened` was set */
	__u64 opened;     /* cookie of a listener that is noted as open under the answer's policy (gate.bpf.h) */
	/*
	 * What is to be recorded. The question and its answer in it (generation, binary, uid, port; verdict, reason, rule) are kept
	 * from one call to the next, also of another thread: under one policy, the same question has the same answer.
	 */
	struct event event;
	union { /* too large for a stack */
		struct unit unit;
		struct kept_path path;
	} scratch;
};
#define CLASS_NONE 0xffffffffU
#define SETTLING 1 /* a sweep is recording it (settle.bpf.h) */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct call);
	__uint(max_entries, CALLS);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__type(key, int);
	__type(value, struct call);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} other_calls SEC(".maps");

/* Returns the place in `calls` of a thread's calls. Another thread may be there. */
static __always_inline struct call *call_place(struct task_struct *task)
{
	__u32 place = task->pid & (CALLS - 1);

	return bpf_map_lookup_elem(&calls, &place);
}

/* Returns the call of `task` that is kept in its own storage; NULL: there is none. */
static __always_inline struct call *other_call(const struct state *state, struct task_struct *task)
{
	struct call *call;

	if (!*(volatile __u64 *)&state->other_calls)
		return 0;
	call = bpf_task_storage_get(&other_calls, task, 0, 0);
	return call && call->task ? call : 0;
}

/* Returns the place in the thread's own storage; NULL: no memory. */
static __always_inline struct call *other_place(struct state *state, struct task_struct *task)
{
	struct call *call = bpf_task_storage_get(&other_calls, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (call && !call->task) {
		call->task = (__u64)task;
		__sync_fetch_and_add(&state->other_calls, 1);
	}
	return call;
}

/* Takes the connection of a call, so that nobody else records it. Returns false if there is none, or a sweep has it. */
static __always_inline bool take_grafted(struct call *call)
{
	__u64 grafted = *(volatile __u64 *)&call->grafted;

	return grafted && grafted != SETTLING && __sync_val_compare_and_swap(&call->grafted, grafted, 0) == grafted;
}

/*
 * Returns the place for a call of `task` that begins; NULL: no memory. *grafted: the place still has the connection of a call whose end
 * wasn't seen. Record that first.
 */
static __always_inline struct call *begin_call(struct state *state, struct task_struct *task, bool *grafted)
{
	struct call *call = call_place(task);
	__u64 owner;

	*grafted = false;
	if (!call)
		return 0;
	owner = __sync_val_compare_and_swap(&call->task, 0, (__u64)task);
	if (!owner || owner == (__u64)task) {
		if (!*(volatile __u64 *)&call->grafted)
			return call;
		*grafted = take_grafted(call);
		if (*grafted)
			return call;
		/* A sweep is recording it, and frees the place itself. */
		if (!owner)
			__sync_val_compare_and_swap(&call->task, (__u64)task, 0);
	}
	call = other_place(state, task);
	if (call)
		*grafted = take_grafted(call);
	return call;
}

/* Returns the call of `task` that is under way; NULL: none, or a sweep is recording it. */
static __always_inline struct call *call_of(const struct state *state, struct task_struct *task)
{
	struct call *call = call_place(task);
	__u64 grafted;

	if (!call)
		return 0;
	/* In this order, because the sweep frees the place first. */
	grafted = *(volatile __u64 *)&call->grafted;
	if (*(volatile __u64 *)&call->task == (__u64)task && grafted != SETTLING)
		return call;
	return other_call(state, task);
}

/* Ends the call: its place is free from now on. */
static __always_inline void end_call(struct state *state, struct task_struct *task, struct call *call)
{
	if (*(volatile __u64 *)&state->other_calls && call != call_place(task))
		__sync_fetch_and_add(&state->other_calls, -1);
	__sync_val_compare_and_swap(&call->task, (__u64)task, 0);
}

#endif
