/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The queue of a listener, and who waits at the head of it.
 */
#ifndef SOCKACCEPT_QUEUE_BPF_H
#define SOCKACCEPT_QUEUE_BPF_H

#include "listener.bpf.h"
#include "shared/control.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * Its accept queue. Read after the decision, from the socket anew: otherwise the verifier follows each state of the
 * queue through the whole decision.
 */
struct queue {
	struct sock *child;  /* at the head of it; NULL: none waits, or not known */
	__u64 untyped_child; /* the same of a listener that isn't TCP: an address, to be read by helpers only */
	__u32 backlog;
	__u32 backlog_max;
	bool waiting; /* a connection is in the queue. Read without its lock: advisory */
};

/* What accept() itself will look at: the head of the queue. */
static __always_inline void read_tcp_queue(struct sock *sk, struct queue *queue)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	struct request_sock *head;

	if (!tcp)
		return;
	head = tcp->inet_conn.icsk_accept_queue.rskq_accept_head;
	queue->waiting = head;
	if (head)
		queue->child = head->sk;
}

/* An MPTCP listener's own queue is always empty: the real one is that of its first subflow. */
static __always_inline void read_mptcp_queue(struct sock *sk, struct queue *queue)
{
	struct mptcp_sock *mptcp = (void *)sk;
	struct sock *first = BPF_CORE_READ(mptcp, first);
	struct inet_connection_sock *connection = (void *)first;
	struct request_sock *head = BPF_CORE_READ(connection, icsk_accept_queue.rskq_accept_head);

	queue->waiting = head;
	if (head)
		queue->untyped_child = (__u64)BPF_CORE_READ(head, sk);
	queue->backlog = BPF_CORE_READ(first, sk_ack_backlog);
	queue->backlog_max = BPF_CORE_READ(first, sk_max_ack_backlog);
}

/* The first of the list whose head is at `list`, as the address of its link; 0: none, or not readable. */
static __always_inline __u64 first_of_list(__u64 list)
{
	__u64 first = 0;

	bpf_probe_read_kernel(&first, sizeof(first), (void *)list);
	return first == list ? 0 : first;
}

/* The association that accept() will take. That it names the listener's endpoint as its owner is the proof. */
static __always_inline __u64 first_association(const struct control *control, __u64 sk)
{
	const struct sctp_layout *layout = &control->sctp;
	__u64 endpoint = 0, owner = 0, first;

	if (!layout->known)
		return 0;
	bpf_probe_read_kernel(&endpoint, sizeof(endpoint), (void *)(sk + layout->endpoint));
	first = first_of_list(endpoint + layout->queue);
	if (!first)
		return 0;
	first -= layout->link;
	bpf_probe_read_kernel(&owner, sizeof(owner), (void *)(first + layout->owner));
	return owner == endpoint ? first : 0;
}

static __always_inline __u64 first_vsock(const struct control *control, __u64 sk)
{
	__u64 first = control->vsock.known ? first_of_list(sk + control->vsock.queue) : 0;

	return first ? first - control->vsock.queue : 0;
}

/* `control`: also whether and who waits in it, not only how many; else NULL. */
static __always_inline void read_queue(const struct control *control, const struct listener *listener, struct queue *queue)
{
	struct sock *sk = listener->sk;

	queue->backlog = sk->sk_ack_backlog;
	queue->backlog_max = sk->sk_max_ack_backlog;
	if (listener->protocol == IPPROTO_MPTCP) {
		read_mptcp_queue(sk, queue);
		return;
	}
	if (!control || !is_listening(listener->family, listener->state))
		return;
	if (listener->protocol == IPPROTO_TCP) {
		read_tcp_queue(sk, queue);
		return;
	}
	queue->waiting = queue->backlog > 0;
	if (!queue->waiting)
		return;
	if (listener->protocol == IPPROTO_SCTP)
		queue->untyped_child = first_association(control, (__u64)sk);
	else if (listener->family == AF_VSOCK)
		queue->untyped_child = first_vsock(control, (__u64)sk);
}

#endif
