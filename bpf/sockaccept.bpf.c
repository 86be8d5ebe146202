/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel side.
 *
 *   lsm/socket_accept   socket_accept: decides about a call of accept(2), records it, and returns -EPERM
 *                       when the policy denies it. Runs in every accept of the machine: it must not
 *                       sleep, and costs the same with one rule as with 100,000.
 *   iter/task_file      identify_files: tells user space the identity of directories that it has open.
 *                       Runs when user space makes a rule; decides nothing.
 */
#include "maps.bpf.h"

typedef void *policy_ref;

static const struct policy_page *policy_page(policy_ref policy, __u32 number)
{
	return bpf_map_lookup_elem(policy, &number);
}

#include "decision.h"
#include "identity.bpf.h"
#include "listener.bpf.h"
#include "record.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

/* Fills `decided` under the policy that is in force now. False: there is none. */
static __always_inline bool decide_request(struct state *state, const struct listener *listener,
					   struct decided *decided)
{
	struct request request = { 0 };
	const struct policy_page *page;
	const struct cred *cred;
	__u32 binary, zero = 0;
	struct file *exe;
	void *image;

	/* The only load of the reference: everything below reads this one policy, whatever replaces it. */
	image = bpf_map_lookup_elem(&policy, &zero);
	if (!image)
		return false;
	page = policy_page(image, 0);
	if (!page)
		return false;
	decided->policy = &page->header;

	decided->task = bpf_get_current_task_btf();
	cred = decided->task->cred;
	decided->uid = cred->euid.val;
	decided->gid = cred->egid.val;
	exe = executable_of(decided->task);
	binary = exe ? binary_of(exe, state) : BINARY_ANY;
	BLUR(binary, listener->port);
	decided->binary = binary;

	request.binary = decided->binary & BINARY_UNNAMED ? BINARY_ANY : decided->binary;
	request.uid = decided->uid;
	request.protocol = listener->class;
	BLUR(request.protocol, listener->port);
	request.port = listener->port;
	decided->rule = decide(image, decided->policy, &request);
	decided->verdict = decided->rule ? decided->rule->label.verdict : decided->policy->verdict;
	return true;
}

/*
 * What an earlier LSM returned, unchanged, in a form in which verifiers from 6.12 on see that it is 0 or an
 * error number. Each FORGET() keeps the compiler from testing a copy, from which they would learn nothing.
 */
static __always_inline int pass_on(long ret)
{
	FORGET(ret);
	if (ret < -4095)
		return -EPERM;
	FORGET(ret);
	if (ret > 0)
		return -EPERM;
	FORGET(ret);
	return ret;
}

SEC("lsm/socket_accept")
int BPF_PROG(socket_accept, struct socket *sock, struct socket *newsock, int ret)
{
	struct listener listener = { 0 };
	struct decided decided = { 0 };
	struct queue queue = { 0 };
	struct sock *sk = sock->sk;
	struct state *counters;
	__u16 family = 0;
	__u32 zero = 0;

	counters = bpf_map_lookup_elem(&state, &zero);
	if (!counters)
		return pass_on(ret);
	if (ret) {
		__sync_fetch_and_add(&counters->refused_earlier, 1);
		return pass_on(ret);
	}
	if (sk)
		family = sk->__sk_common.skc_family;
	if (!sk || !is_mediated(sock, family)) {
		__sync_fetch_and_add(&counters->unmediated, 1);
		return 0;
	}
	read_listener(&listener, sk, family);
	if (!decide_request(counters, &listener, &decided))
		return 0;
	read_queue(sk, &queue);
	count_decision(counters, listener.port, queue.waiting, &decided);
	if (queue.waiting)
		record_event(counters, &listener, &queue, &decided);
	if (decided.verdict != VERDICT_DENY || decided.policy->mode != MODE_ENFORCE)
		return 0;
	ret = -EPERM;
	FORGET(ret); /* a constant in a branch, not the result of arithmetic that a verifier can't follow */
	return ret;
}

SEC("iter/task_file")
int identify_files(struct bpf_iter__task_file *ctx)
{
	struct file_identity identity = {};
	struct file *file = ctx->file;

	if (!file || !ctx->task)
		return 0;
	identity.fd = ctx->fd;
	directory_of(file->f_inode, &identity.directory);
	bpf_seq_write(ctx->meta->seq, &identity, sizeof(identity));
	return 0;
}
