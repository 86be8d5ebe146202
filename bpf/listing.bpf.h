/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells user space who listens, and which processes have a record of what they are.
 *
 *   iter/task_file   list_listeners: writes a struct listening for each open file of any process that is a listener, read as the
 *                    hooks read it. Also notes where each listens that began before the hooks were attached (listened.bpf.h).
 *                    Decides nothing.
 *   iter/task        list_processes: writes a struct process_identity for each process with a record of its own. Decides nothing.
 */
#ifndef SOCKACCEPT_LISTING_BPF_H
#define SOCKACCEPT_LISTING_BPF_H

#include "ends.bpf.h"
#include "gate.bpf.h"
#include "listened.bpf.h"
#include "listener.bpf.h"
#include "process.bpf.h"

#include <bpf/bpf_helpers.h>

/* Describes the listener `sk`, as the hooks read it. */
static __always_inline void describe_listening(struct listening *listening, struct sock *sk, __u16 family)
{
	struct listener listener = { 0 };
	struct queue queue = { 0 };

	read_listener(&listener, sk, family);
	read_queue(0, &listener, &queue);
	bound_address(sk, family, &listening->local);
	listening->local.port = listener.port;
	listening->socket = (__u64)sk;
	listening->class = listener.class;
	listening->family = family;
	listening->protocol = listener.protocol;
	listening->netns = sk->__sk_common.skc_net.net->ns.inum;
	listening->backlog = queue.backlog;
	listening->backlog_max = queue.backlog_max;
	listening->cookie = bpf_get_socket_cookie(sk);
	listening->gate = gate_now(gate_of(sk, listener.protocol, false));
}

/* Says what the process is by a record of its own. */
static __always_inline void describe_process(struct listening *listening, struct task_struct *leader)
{
	struct process *process = bpf_task_storage_get(&processes, leader, 0, 0);

	if (!process || !process->known)
		return;
	listening->processes = 1;
	listening->binary = process->binary;
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
	if (!sk)
		return 0;
	family = sk->__sk_common.skc_family;
	if (!is_mediated(family) || !is_listening(family, sk->__sk_common.skc_state))
		return 0;
	describe_listening(&listening, sk, family);
	note_listening(sk, listening.local.port, listening.class);
	describe_process(&listening, task->group_leader);
	listening.pid = task->tgid;
	listening.fd = ctx->fd;
	listening.uid = task->cred->euid.val;
	listening.gid = task->cred->egid.val;
	((__u64 *)listening.comm)[0] = ((volatile __u64 *)task->comm)[0];
	((__u64 *)listening.comm)[1] = ((volatile __u64 *)task->comm)[1];
	bpf_seq_write(ctx->meta->seq, &listening, sizeof(listening));
	return 0;
}

SEC("iter/task")
int list_processes(struct bpf_iter__task *ctx)
{
	struct process_identity identity = {};
	struct task_struct *task = ctx->task;
	struct process *process;

	if (!task || task->pid != task->tgid)
		return 0;
	process = bpf_task_storage_get(&processes, task, 0, 0);
	if (!process || !process->known)
		return 0;
	identity.pid = task->tgid;
	identity.binary = process->binary;
	bpf_seq_write(ctx->meta->seq, &identity, sizeof(identity));
	return 0;
}

#endif
