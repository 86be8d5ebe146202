/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who asks, and the answer.
 */
#ifndef SOCKACCEPT_ANSWER_BPF_H
#define SOCKACCEPT_ANSWER_BPF_H

#include "call.bpf.h"
#include "count.bpf.h"
#include "identity.bpf.h"
#include "listener.bpf.h"

typedef void *policy_ref;

static const struct policy_page *policy_page(policy_ref policy, __u32 number)
{
	return bpf_map_lookup_elem(policy, &number);
}

#include "decision.h"

/* Who calls, under which policy. */
struct caller {
	policy_ref image; /* of the policy that is in force for this call */
	const struct policy_header *policy;
	struct task_struct *task;
	__u32 binary;
	__u32 uid;
	__u32 gid;
};

/* Fills in who calls. False: no policy is in force. `noise` is any number that the verifier doesn't know. */
static __always_inline bool read_caller(struct state *state, __u32 noise, struct caller *caller)
{
	const struct policy_page *page;
	const struct cred *cred;
	__u32 binary, zero = 0;
	struct file *exe;

	/* The only load of the reference: everything below reads this one policy, whatever replaces it. */
	caller->image = bpf_map_lookup_elem(&policy, &zero);
	if (!caller->image)
		return false;
	page = policy_page(caller->image, 0);
	if (!page)
		return false;
	caller->policy = &page->header;

	caller->task = bpf_get_current_task_btf();
	cred = caller->task->cred;
	caller->uid = cred->euid.val;
	caller->gid = cred->egid.val;
	exe = executable_of(caller->task);
	binary = exe ? binary_of(exe, state) : BINARY_ANY;
	BLUR(binary, noise);
	caller->binary = binary;
	return true;
}

/* True if `answer` is one to what `caller` asks. */
static __always_inline bool is_answered(const struct answer *answer, const struct caller *caller,
					const struct listener *listener)
{
	return answer->generation == caller->policy->generation && answer->binary == caller->binary &&
	       answer->uid == caller->uid && answer->port == listener->port && answer->class == listener->class;
}

/* The rule that decides what `caller` asks; NULL: the default does. */
static __always_inline const struct rule_record *rule_for(const struct caller *caller, const struct listener *listener)
{
	struct request request = { 0 };

	request.binary = caller->binary & BINARY_UNNAMED ? BINARY_ANY : caller->binary;
	request.uid = caller->uid;
	request.protocol = listener->class;
	BLUR(request.protocol, listener->port);
	request.port = listener->port;
	return decide(caller->image, caller->policy, &request);
}

static __always_inline void answer_caller(struct answer *answer, const struct caller *caller,
					  const struct listener *listener)
{
	const struct rule_record *rule;

	if (is_answered(answer, caller, listener))
		return;
	rule = rule_for(caller, listener);
	answer->generation = caller->policy->generation;
	answer->binary = caller->binary;
	answer->uid = caller->uid;
	answer->port = listener->port;
	answer->class = listener->class;
	answer->verdict = rule ? rule->label.verdict : caller->policy->verdict;
	answer->reason = rule ? REASON_RULE : REASON_DEFAULT;
	answer->counter = rule ? rule->counter : NO_COUNTER;
	if (rule)
		answer->rule = rule->label;
	answer->place = NO_PLACE;
	if (caller->binary) /* not a kernel thread */
		answer->place = find_place(port_key(caller->binary, listener->port, answer->verdict),
					   !(caller->binary & BINARY_UNNAMED));
}

/* What is the same under any answer. */
static __always_inline void keep_caller(struct call *call, const struct caller *caller)
{
	struct file *exe;

	call->gid = caller->gid;
	call->flags = caller->policy->mode == MODE_ENFORCE ? EVENT_ENFORCED : 0;
	call->path.length = 0;
	if (!(caller->binary & BINARY_UNNAMED))
		return;
	exe = executable_of(caller->task);
	if (exe)
		call->flags |= path_of(caller->task, exe, caller->binary, &call->path);
}

static __always_inline void keep_listener(struct call *call, const struct listener *listener, const struct queue *queue)
{
	struct sock *sk = listener->sk;
	__u16 family = sk->__sk_common.skc_family;

	call->listener = (__u64)sk;
	call->family = family;
	call->protocol = family == AF_VSOCK ? 0 : sk->sk_protocol;
	call->netns = sk->__sk_common.skc_net.net->ns.inum;
	call->backlog = queue->backlog;
	call->backlog_max = queue->backlog_max;
}

#endif
