/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who listens: the open files of all processes that are listeners, read as the hook reads them. Decides nothing.
 */
#ifndef SOCKACCEPT_LISTING_BPF_H
#define SOCKACCEPT_LISTING_BPF_H

#include "listener.bpf.h"

#include <bpf/bpf_helpers.h>

#define TCP_LISTEN 10 /* SCTP and VSOCK have the same number for it */

static __always_inline void describe_listening(struct listening *listening, struct sock *sk, __u16 family)
{
	struct listener listener = { 0 };
	struct queue queue = { 0 };

	read_listener(&listener, sk, family);
	read_queue(0, sk, &queue);
	bound_address(sk, family, &listening->local);
	listening->local.port = listener.port;
	listening->socket = (__u64)sk;
	listening->class = listener.class;
	listening->family = family;
	listening->protocol = family == AF_VSOCK ? 0 : sk->sk_protocol;
	listening->netns = sk->__sk_common.skc_net.net->ns.inum;
	listening->backlog = queue.backlog;
	listening->backlog_max = queue.backlog_max;
}

SEC("iter/task_file")
int list_listeners(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct listening listening = {};
	struct socket *sock;
	struct sock *sk;
	__u16 family;

	if (!task || !file)
		return 0;
	sock = bpf_sock_from_file(file);
	if (!sock)
		return 0;
	sk = sock->sk;
	if (!sk || sk->__sk_common.skc_state != TCP_LISTEN)
		return 0;
	family = sk->__sk_common.skc_family;
	if (!is_mediated(sock, family))
		return 0;
	describe_listening(&listening, sk, family);
	listening.pid = task->tgid;
	listening.uid = task->cred->euid.val;
	bpf_seq_write(ctx->meta->seq, &listening, sizeof(listening));
	return 0;
}

#endif
