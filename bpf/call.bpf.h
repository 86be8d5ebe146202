/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls of accept(2) that are under way.
 *
 * The hook decides when a call begins; whether it returns a connection, and which, is known when it ends, maybe
 * hours later. What was decided is kept for each call in between.
 *
 * A thread makes one call at a time, so its place is found by its number. Another thread may be there, as
 * numbers have more bits than places: then the call is kept in the thread's own storage, which costs more.
 */
#ifndef SOCKACCEPT_CALL_BPF_H
#define SOCKACCEPT_CALL_BPF_H

#include "maps.bpf.h"

#include <bpf/bpf_helpers.h>

#define CALLS 4096 /* a power of two */
#define NO_COUNTER 0xffffffffU

/*
 * A question and its answer. The same question has the same answer for as long as the same policy is in force: a thread that
 * accepts again and again on one port finds its last one here (bpf/answer.bpf.h).
 */
struct answer {
	__u64 generation; /* of the policy; 0: there is no answer */
	__u32 binary;
	__u32 uid;
	__u32 port;
	__u32 class;   /* enum protocol, or CLASS_NONE */
	__u32 counter; /* of the rule, or NO_COUNTER */
	__u32 place;   /* where it is counted (bpf/count.bpf.h) */
	__u32 verdict;
	__u32 reason;
	struct rule_label rule; /* if reason is REASON_RULE */
};
#define CLASS_NONE 0xffffffffU /* it isn't about a listener */

struct call {
	__u64 task;     /* whose it is: an address; 0: nobody's */
	__u64 newsock;  /* the socket that is to become the connection's: an address */
	__u64 listener; /* the listening sock's address, for comparison only */
	__u64 cgroup;   /* the cgroup whose unit stands in `unit`: kept from one call to the next, as is the answer */
	__u64 unit;
	struct answer answer;
	__u32 gid;
	__u32 backlog;
	__u32 backlog_max;
	__u32 netns;
	__u16 family;
	__u16 protocol; /* the listener's: a connection of MPTCP may have fallen back to TCP */
	__u8 flags;     /* enum event_flag */
	__u8 operation;
	__u16 reserved;
	struct seen_path path; /* if binary is unnamed: bpf_d_path() may not be called when the call ends */
	__u32 reserved1;
	struct unit scratch;   /* too large for a stack */
};

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

static __always_inline struct call *call_place(struct task_struct *task)
{
	__u32 place = task->pid & (CALLS - 1);

	return bpf_map_lookup_elem(&calls, &place);
}

/*
 * A call of `task` that begins. A call that is still there has ended unseen: another tool that traces do_accept()
 * came or went while it waited. NULL: no memory.
 */
static __always_inline struct call *begin_call(struct state *state, struct task_struct *task)
{
	struct call *call = call_place(task);
	__u64 owner;

	if (!call)
		return 0;
	owner = __sync_val_compare_and_swap(&call->task, 0, (__u64)task);
	if (!owner)
		return call;
	if (owner != (__u64)task) {
		call = bpf_task_storage_get(&other_calls, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!call)
			return 0;
		owner = call->task;
		call->task = (__u64)task;
		if (!owner)
			__sync_fetch_and_add(&state->other_calls, 1);
	}
	if (owner)
		__sync_fetch_and_add(&state->unfinished, 1);
	return call;
}

/* The call of `task` that is under way; NULL: none. */
static __always_inline struct call *call_of(const struct state *state, struct task_struct *task)
{
	struct call *call = call_place(task);

	if (call && call->task == (__u64)task)
		return call;
	if (!*(volatile __u64 *)&state->other_calls)
		return 0;
	call = bpf_task_storage_get(&other_calls, task, 0, 0);
	return call && call->task ? call : 0;
}

/* The place is another's from now on. */
static __always_inline void end_call(struct state *state, struct task_struct *task, struct call *call)
{
	if (*(volatile __u64 *)&state->other_calls && call != call_place(task))
		__sync_fetch_and_add(&state->other_calls, -1);
	__sync_lock_test_and_set(&call->task, 0);
}

#endif
