/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections whose call ended unseen.
 *
 * An LSM program sees that a call takes a connection. The kernel never leaves that program out. A tracing program sees that the call
 * then returns the connection, and doesn't fail. The kernel leaves that one out while the same program is held up on the same processor
 * (Linux, kernel/bpf/trampoline.c: __bpf_prog_enter_recur()), as can happen on a kernel that preempts itself; also when another tool
 * starts or stops tracing do_accept() meanwhile.
 *
 * So the thread's next call, or the next reader, records what is left, as a connection. Accepts that fail after they took one are rare.
 */
#ifndef SOCKACCEPT_SETTLE_BPF_H
#define SOCKACCEPT_SETTLE_BPF_H

#include "record.bpf.h"

#include <bpf/bpf_core_read.h>

/* True if the thread of a call has ended: its memory is somebody else's, or says that it has exited. */
static __always_inline bool is_gone(__u64 owner, __u32 place)
{
	struct task_struct *task = (struct task_struct *)owner;

	return (BPF_CORE_READ(task, pid) & (CALLS - 1)) != place || BPF_CORE_READ(task, exit_state);
}

#define SWEEP_NS 20000000ULL

struct sweep {
	struct state *state;
	__u64 left; /* connections that may yet be recorded otherwise */
};

/*
 * Records the connection of one call if its end wasn't seen, and frees the place of a thread that has ended. Returns 1 if there is
 * no such place.
 */
static long sweep_call(__u32 place, struct sweep *sweep)
{
	struct state *state = sweep->state;
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
	/* Readers can sweep at the same time. What another one is recording is left to it. */
	if (grafted == SETTLING || (__u32)state->sweeps - call->sweep < 2) {
		sweep->left++;
		return 0;
	}
	/* While it is SETTLING, the thread keeps away from it. */
	if (__sync_val_compare_and_swap(&call->grafted, grafted, SETTLING) != grafted)
		return 0;
	record_connection(state, call);
	__sync_val_compare_and_swap(&call->task, owner, 0);
	__sync_lock_test_and_set(&call->grafted, 0);
	return 0;
}

/*
 * Records what two sweeps have left that were SWEEP_NS apart: longer than an accept(2) takes to return what it has taken. Returns how
 * many connections it has left itself.
 */
static __attribute__((noinline)) __u64 sweep_calls(struct state *state)
{
	__u64 now = bpf_ktime_get_boot_ns(), swept = *(volatile __u64 *)&state->swept;
	struct sweep sweep = { .state = state };

	if (now - swept >= SWEEP_NS && __sync_val_compare_and_swap(&state->swept, swept, now) == swept)
		__sync_fetch_and_add(&state->sweeps, 1);
	bpf_loop(CALLS, sweep_call, &sweep, 0);
	return sweep.left;
}

/* Records the connection of an earlier call, whose event is still in `call`. */
static __attribute__((noinline)) bool settle_call(struct state *state, struct call *call)
{
	record_connection(state, call);
	return true;
}

/*
 * Returns the place for a call of `task` that begins; NULL: no memory. First records the connection of an earlier call whose end wasn't
 * seen.
 */
static __always_inline struct call *start_call(struct state *state, struct task_struct *task)
{
	bool grafted;
	struct call *call = begin_call(state, task, &grafted);

	if (call && grafted)
		CALL(settle_call(state, call));
	return call;
}

/* Records the connection of an earlier call in the thread's own storage, while the thread now has `call`. */
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

/* Ends what an earlier call of the thread has left. The current call isn't followed, and its end must not be taken for that one's. */
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
