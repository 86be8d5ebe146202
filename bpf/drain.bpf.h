/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Draining: connections that wait on a denied listener are taken out and reset. A process of ours accepts them; the hook must let
 * exactly that pass.
 *
 *   syscall   drain: makes its caller the drainer, or ends that. Whoever can run it could as well load another policy. Must never
 *             make anybody the drainer once the policy is locked, except for opening gates.
 *
 * There is one drainer at a time. It is known by a record in its task storage, which dies with it. Even the drainer gets only what the
 * policy in force denies to the binary and user that it names.
 *
 * Once the policy is locked, nobody can become the drainer: whoever can debug that process could keep what it accepts. One accept(2)
 * still passes then, which can do nothing but throw the connection away: on a denied listener, with an address for the peer's name that
 * no process can write to. It takes the connection, fails with EFAULT and closes it (Linux, net/socket.c: do_accept()).
 */
#ifndef SOCKACCEPT_DRAIN_BPF_H
#define SOCKACCEPT_DRAIN_BPF_H

#include "gate.bpf.h"
#include "settle.bpf.h"

#include <bpf/bpf_helpers.h>

#define DRAINING_MAX_NS (2 * SECOND_NS)

struct drainer {
	__u64 until; /* when the right ends; 0: it is not the drainer */
	struct draining from;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__type(key, int);
	__type(value, struct drainer);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} drainers SEC(".maps");

/* ---------------------------------------------------------------------------------------------
 * Who may
 */

/* Makes `task` no drainer any more. */
static __always_inline void end_draining(struct control *control, struct task_struct *task)
{
	struct drainer *drainer = bpf_task_storage_get(&drainers, task, 0, 0);

	if (drainer)
		drainer->until = 0;
	__sync_val_compare_and_swap(&control->drainer, (__u64)task, 0);
}

/* Makes `task` the drainer. Returns false if there is another one that hasn't used up its time. */
static __always_inline bool take_drain(struct control *control, struct task_struct *task, __u64 until)
{
	__u64 other = *(volatile __u64 *)&control->drainer;

	if (other && other != (__u64)task && bpf_ktime_get_boot_ns() < *(volatile __u64 *)&control->drainer_until)
		return false;
	if (__sync_val_compare_and_swap(&control->drainer, other, (__u64)task) != other)
		return false;
	control->drainer_until = until;
	return true;
}

/* Makes `task` the drainer, for at most DRAINING_MAX_NS. Returns false if it may not be. */
static __always_inline bool begin_draining(struct control *control, struct task_struct *task, const struct draining *draining)
{
	__u64 until = bpf_ktime_get_boot_ns() + (draining->lasts < DRAINING_MAX_NS ? draining->lasts : DRAINING_MAX_NS);
	struct drainer *drainer;

	/* Who only opens gates gets no connection: those who wait behind the gate are decided about as ever. */
	if (*(volatile __u64 *)&control->locked && !draining->opens)
		return false;
	drainer = bpf_task_storage_get(&drainers, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!drainer || !take_drain(control, task, until))
		return false;
	drainer->from = *draining;
	drainer->until = until;
	return true;
}

/* Returns the record of a task that may drain right now, else NULL. The address tells it from all other tasks. */
static __always_inline struct drainer *drainer_of(const struct control *control, struct task_struct *task)
{
	struct drainer *drainer;

	if (*(volatile __u64 *)&control->drainer != (__u64)task)
		return 0;
	drainer = bpf_task_storage_get(&drainers, task, 0, 0);
	if (!drainer || bpf_ktime_get_boot_ns() >= drainer->until)
		return 0;
	/* Also one that became the drainer before the lock. */
	return *(volatile __u64 *)&control->locked && !drainer->from.opens ? 0 : drainer;
}

/*
 * True if the task is in accept(2) or accept4(2), with an address in the kernel's half for the length of the peer's name. The kernel
 * reads these same registers, and nobody can change them while the call is under way. But io_uring can accept with other arguments
 * while the registers still look so, as at the exit of a call that seccomp(2) or a tracer has skipped. So a task that has ever used
 * io_uring is left out.
 */
static __always_inline bool throws_away(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	if (bpf_core_field_exists(task->io_uring) && task->io_uring)
		return false;
	return (regs->orig_ax == 43 || regs->orig_ax == 288) && regs->ax == (unsigned long)-ENOSYS && regs->si && (long)regs->dx < 0;
#else
	return false;
#endif
}

/* ---------------------------------------------------------------------------------------------
 * What is recorded
 */

/* Says who had the listener: whoever was denied there last. */
static __always_inline void describe_denied(struct call *call, const struct gate *gate)
{
	struct event *event = &call->event;
	const struct event *from = &gate->event;

	event->pid = from->pid;
	event->tid = from->tid;
	event->uid = from->uid;
	event->gid = from->gid;
	event->binary = from->binary;
	event->cgroup_id = from->cgroup_id;
	event->unit = from->unit;
	__builtin_memcpy(event->comm, from->comm, sizeof(event->comm));
	if (from->binary & BINARY_UNNAMED)
		event->path = from->path;
	call->user = gate->user;
}

/* Says who had the listener, as the drainer names it. */
static __always_inline void describe_holder(struct call *call, const struct draining *from)
{
	struct event *event = &call->event;

	event->pid = event->tid = from->pid;
	event->gid = from->gid;
	event->cgroup_id = event->unit = 0;
	__builtin_memcpy(event->comm, from->comm, sizeof(event->comm));
	if (event->binary & BINARY_UNNAMED)
		event->path = from->path;
	call->user = event->uid ? event->uid : ADMINISTRATOR;
}

/* True if a call has to be looked at more closely. Nearly none has. */
static __always_inline bool may_drain(const struct caller *caller)
{
	return *(volatile __u64 *)&caller->control->drainer == (__u64)caller->task || *(volatile __u64 *)&caller->control->locked;
}

/*
 * True if the call is to take a connection out. `caller` then becomes whom it is taken from, and the policy is asked about that one: as
 * the drainer says, or else whoever was denied there last.
 */
static __attribute__((noinline)) bool is_drain(struct caller *caller, const struct listener *listener)
{
	struct drainer *drainer = drainer_of(caller->control, caller->task);
	struct gate *gate;

	if (drainer) {
		caller->binary = drainer->from.binary;
		caller->uid = drainer->from.uid;
		return true;
	}
	if (!*(volatile __u64 *)&caller->control->locked || !throws_away(caller->task))
		return false;
	gate = gate_of(listener->sk, listener->protocol, false);
	if (!gate || gate_state(gate, caller->policy) != GATE_SHUT)
		return false;
	caller->binary = gate->event.binary;
	caller->uid = gate->event.uid;
	return true;
}

/* Prepares a call, which has its answer, to take a connection out. Returns false if it may not, or if it is only to open the gate. */
static __attribute__((noinline)) bool take_out(struct state *state, struct call *call, const struct caller *caller,
					       const struct listener *listener)
{
	struct drainer *drainer = drainer_of(caller->control, caller->task);
	struct gate *gate = gate_of(listener->sk, listener->protocol, true);
	struct event *event = &call->event;
	struct queue queue = { 0 };

	if (drainer && drainer->from.opens) {
		/* As if it had accepted. Once nobody who may accept holds the listener, the next drain shuts the gate. */
		if (gate && event->verdict != VERDICT_DENY)
			*(volatile __u64 *)&gate->allowed = event->generation;
		return false;
	}
	if (!gate || event->verdict != VERDICT_DENY || caller->policy->mode != MODE_ENFORCE || !(caller->policy->flags & POLICY_DRAINS))
		return false;
	/* The event says whom it was taken from. The answer can be about somebody else. */
	call->passing = 1;
	event->operation = OPERATION_DRAINED;
	event->sockfd = -1;
	describe_caller(event, caller);
	describe_listener(call, listener, &queue);
	if (gate->generation == event->generation)
		describe_denied(call, gate);
	else if (drainer)
		describe_holder(call, &drainer->from);
	call->cgroup = 0; /* `unit` is not that of the drainer */
	if (drainer) {
		*(volatile __u64 *)&gate->allowed = 0; /* nobody who may accept holds it */
		shut_gate(gate, call, call->user);
		/* So that threads that were noted as allowed are noted again. */
		__sync_fetch_and_add(&state->gates, 1);
	}
	*(volatile __u32 *)&gate->wanted = 0;
	return true;
}

SEC("syscall")
int drain(struct draining *draining)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct control *there;
	struct state *counters;
	__u32 zero = 0;

	counters = bpf_map_lookup_elem(&state, &zero);
	there = bpf_map_lookup_elem(&control, &zero);
	if (!counters || !there)
		return 0;
	if (draining->promise)
		*(volatile __u64 *)&counters->drained_until = bpf_ktime_get_boot_ns() + draining->promise;
	if (!draining->lasts)
		end_draining(there, task);
	draining->may = draining->lasts && begin_draining(there, task, draining);
	draining->locked = there->locked;
	return 0;
}

#endif
