/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections whose call ended unseen.
 *
 * That a call has taken a connection is seen by an LSM program, which the kernel never leaves out. That the call
 * then returned it, and didn't fail, is seen by a tracing program, which it leaves out while the same program is held up in
 * the middle on the same processor (Linux, kernel/bpf/trampoline.c: __bpf_prog_enter_recur()), as it can be on a kernel
 * that preempts itself; and also when another tool begins or ceases to trace do_accept() meanwhile. So the thread's next
 * call, or a timer within two seconds, records what is left, as a connection: accepts that fail after they have taken
 * one are rare.
 */
#ifndef SOCKACCEPT_SETTLE_BPF_H
#define SOCKACCEPT_SETTLE_BPF_H

#include "record.bpf.h"

#include <bpf/bpf_core_read.h>

#define SWEEP_NS 1000000000ULL

struct sweeper {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct sweeper);
	__uint(max_entries, 1);
} sweeper SEC(".maps");

/* True if the thread that a call is of is no more: its memory is somebody else's, or says that it has exited. */
static __always_inline bool is_gone(__u64 owner, __u32 place)
{
	struct task_struct *task = (struct task_struct *)owner;

	return (BPF_CORE_READ(task, pid) & (CALLS - 1)) != place || BPF_CORE_READ(task, exit_state);
}

static long sweep_call(__u32 place, struct state **context)
{
	struct state *state = *context;
	struct call *call = bpf_map_lookup_elem(&calls, &place);
	__u64 owner, grafted;

	if (!call)
		return 1;
	owner = *(volatile __u64 *)&call->task;
	grafted = *(volatile __u64 *)&call->grafted;
	if (!owner)
		return 0;
	if (!grafted) {
		if (is_gone(owner, place))
			__sync_val_compare_and_swap(&call->task, owner, 0);
		return 0;
	}
	if ((__u32)state->sweeps - call->sweep < 2) {
		state->unswept = 1; /* it may yet be recorded otherwise */
		return 0;
	}
	/* While it is SETTLING, the thread keeps away from it. */
	if (__sync_val_compare_and_swap(&call->grafted, grafted, SETTLING) != grafted)
		return 0;
	/* Never folded: that would take a timer from within one. */
	count_connection(state, call);
	CALL(record_event(state, call));
	__sync_val_compare_and_swap(&call->task, owner, 0);
	__sync_lock_test_and_set(&call->grafted, 0);
	return 0;
}

static int sweep_calls(void *map, __u32 *key, struct sweeper *sweeper);

/* Makes the sweep come. Costs one look when it already will. */
static __always_inline void arm_sweeper(struct state *state)
{
	struct sweeper *one;
	__u32 zero = 0;

	if (*(volatile __u64 *)&state->sweeping || __sync_lock_test_and_set(&state->sweeping, 1))
		return;
	one = bpf_map_lookup_elem(&sweeper, &zero);
	if (!one)
		return;
	bpf_timer_init(&one->timer, &sweeper, CLOCK_MONOTONIC); /* -EBUSY: it was */
	bpf_timer_set_callback(&one->timer, sweep_calls);
	if (bpf_timer_start(&one->timer, SWEEP_NS, 0))
		__sync_lock_test_and_set(&state->sweeping, 0); /* no memory: the next one tries again */
}

static int sweep_calls(void *map, __u32 *key, struct sweeper *one)
{
	struct state *counters;
	__u32 zero = 0;

	counters = bpf_map_lookup_elem(&state, &zero);
	if (!counters)
		return 0;
	__sync_fetch_and_add(&counters->sweeps, 1);
	counters->unswept = 0;
	/* Before it looks: a connection that comes after that makes the next sweep come. */
	__sync_lock_test_and_set(&counters->sweeping, 0);
	bpf_loop(CALLS, sweep_call, &counters, 0);
	if (counters->unswept && !__sync_lock_test_and_set(&counters->sweeping, 1))
		bpf_timer_start(&one->timer, SWEEP_NS, 0);
	return 0;
}

/* Records the connection of an earlier call, of which `call` still has the event. */
static __attribute__((noinline)) bool settle_call(struct state *state, struct call *call)
{
	record_connection(state, call);
	return true;
}

/* The same of one that is kept in the thread's own storage, while the thread now has `call`. */
static __attribute__((noinline)) bool settle_other(struct state *state, struct task_struct *task, const struct call *call)
{
	struct call *other = other_call(state, task);

	if (!other || other == call)
		return false;
	if (take_grafted(other))
		record_connection(state, other);
	end_call(state, task, other);
	return true;
}

/* Ends what an earlier call of the thread has left: this one isn't followed, and its end must not be taken for that one's. */
static __attribute__((noinline)) bool settle_leftover(struct state *state, struct task_struct *task)
{
	struct call *call = call_of(state, task);

	if (!call)
		return false;
	if (take_grafted(call))
		record_connection(state, call);
	end_call(state, task, call);
	return true;
}

#endif
