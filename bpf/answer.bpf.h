/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The answer to a call, and the facts for its event: all but the connection's ends. They are put together in the call's place.
 */
#ifndef SOCKACCEPT_ANSWER_BPF_H
#define SOCKACCEPT_ANSWER_BPF_H

#include "call.bpf.h"
#include "caller.bpf.h"
#include "count.bpf.h"
#include "listener.bpf.h"
#include "path.bpf.h"
#include "queue.bpf.h"
#include "unit.bpf.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "shared/decision.h"

/* True if the place already has the answer to what `caller` asks. */
static __always_inline bool is_answered(const struct call *call, const struct caller *caller, const struct listener *listener)
{
	const struct event *event = &call->event;

	return event->generation == caller->policy->generation && event->binary == caller->binary && event->uid == caller->uid &&
	       call->port == listener->port && call->class == listener->class && !call->passing;
}

/* Returns the time while temporary rules are in force, else 0. */
static __always_inline __u64 passing_time(const struct policy_header *policy)
{
	__u64 now;

	if (!policy->temporaries)
		return 0;
	now = bpf_ktime_get_boot_ns();
	return now < policy->temporaries_end ? now : 0;
}

/* Returns the rule that decides what `caller` asks; NULL: the default does. */
static __always_inline const struct rule_record *rule_for(const struct caller *caller, const struct listener *listener, __u64 now)
{
	struct request request = { 0 };

	request.binary = caller->binary & BINARY_UNNAMED ? BINARY_ANY : caller->binary;
	request.uid = caller->uid;
	request.protocol = listener->class;
	request.port = listener->port;
	request.now = now;
	return decide(caller->image, caller->policy, &request);
}

/* Puts the answer to what `caller` asks into `call`, unless it is there already. */
static __always_inline void answer_caller(struct call *call, const struct caller *caller, const struct listener *listener)
{
	struct event *event = &call->event;
	const struct rule_record *rule;
	__u64 now = passing_time(caller->policy);

	if (!now && is_answered(call, caller, listener))
		return;
	call->passing = now != 0;
	rule = rule_for(caller, listener, now);
	call->until = rule ? rule->until : 0;
	if (event->generation != caller->policy->generation)
		call->opened = 0;
	event->generation = caller->policy->generation;
	event->binary = caller->binary;
	event->uid = caller->uid;
	event->verdict = rule ? rule->label.verdict : caller->policy->verdict;
	event->reason = rule ? REASON_RULE : REASON_DEFAULT;
	if (rule)
		event->rule = rule->label;
	call->class = listener->class;
	call->port = listener->port;
	call->counter = rule ? rule->counter : NO_COUNTER;
	call->place = NO_PLACE;
	if (caller->binary) /* not a kernel thread */
		call->place = find_place(port_key(caller->binary, listener->port, event->verdict), !(caller->binary & BINARY_UNNAMED));
}

/* Says which thread calls. Before anything is folded, because repeats are compared by it. */
static __always_inline void describe_task(struct event *event)
{
	__u64 id = bpf_get_current_pid_tgid();

	event->pid = id >> 32;
	event->tid = id;
	event->count = 1;
}

/* Says what is the same under any answer. */
static __always_inline void describe_caller(struct event *event, const struct caller *caller)
{
	event->gid = caller->gid;
	event->flags = caller->policy->mode == MODE_ENFORCE ? EVENT_ENFORCED : 0;
	event->differ = 0;
}

/* Finds the path of an unnamed binary. The last step, because repeats don't need it. */
static __always_inline void describe_path(struct call *call, const struct caller *caller)
{
	struct event *event = &call->event;
	struct file *exe;

	event->path.length = 0;
	if (!(caller->binary & BINARY_UNNAMED))
		return;
	exe = executable_of(caller->task);
	if (exe)
		event->flags |= path_of(caller->task, exe, caller->binary, &event->path, &call->scratch.path);
}

/* Describes the listener and its queue. */
static __always_inline void describe_listener(struct call *call, const struct listener *listener, const struct queue *queue)
{
	struct event *event = &call->event;
	struct sock *sk = listener->sk;

	event->family = listener->family;
	event->protocol = listener->protocol;
	event->local.port = event->listener_port = listener->port;
	event->netns = sk->__sk_common.skc_net.net->ns.inum;
	event->backlog = queue->backlog;
	event->backlog_max = queue->backlog_max;
}

/*
 * Returns the first argument of accept(), accept4(), listen() or bind(); io_uring has none. Until a call has a result, the result in
 * the registers is -ENOSYS. So work of io_uring at the end of an accept() is not taken for that accept(). Nor is an io_uring worker,
 * whose registers begin as a copy with the result 0 (Linux, arch/x86/kernel/process.c: copy_thread()). 32-bit programs use none of
 * these numbers for accept().
 */
static __always_inline __s32 called_descriptor(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	if ((regs->orig_ax == 43 || regs->orig_ax == 288 || regs->orig_ax == 50 || regs->orig_ax == 49) &&
	    regs->ax == (unsigned long)-ENOSYS)
		return regs->di;
#endif
	return -1;
}

/* Says who takes the connection. Known only when it does, because comm and cgroup can change while it waits. */
static __always_inline void describe_thread(struct call *call, struct task_struct *task)
{
	struct event *event = &call->event;

	event->sockfd = called_descriptor(task);
	event->cgroup_id = bpf_get_current_cgroup_id();
	/* Looked up only if the place was last used in another cgroup. */
	if (call->cgroup != event->cgroup_id) {
		event->unit = find_unit(task, &call->scratch.unit);
		call->cgroup = event->cgroup_id;
	}
	/* A helper would take 60 more instructions. A name that is being changed right now may come mixed; so it may from the helper. */
	((__u64 *)event->comm)[0] = ((volatile __u64 *)task->comm)[0];
	((__u64 *)event->comm)[1] = ((volatile __u64 *)task->comm)[1];
}

#endif
