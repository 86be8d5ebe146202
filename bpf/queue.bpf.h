/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The queue of a listener: how many connections wait, and which is the first.
 */
#ifndef SOCKACCEPT_QUEUE_BPF_H
#define SOCKACCEPT_QUEUE_BPF_H

#include "listener.bpf.h"
#include "shared/control.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * The accept queue of a listener. Read after the decision, and from the socket anew: otherwise the verifier follows each state of the
 * queue through the whole decision.
 */
struct queue {
	struct sock *child;  /* the first connection; NULL: none waits, or it isn't known */
	__u64 untyped_child; /* its address, if the listener isn't TCP: only helpers can read it */
	__u32 backlog;
	__u32 backlog_max;
	bool waiting; /* a connection is in the queue. Read without the queue's lock: advisory */
};

/* Reads what accept() itself will look at: the head of the queue. */
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

/* Reads the queue of the first subflow. That of an MPTCP listener itself is always empty. */
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

/* Returns the address of the first link in the list whose head is at `list`; 0: it is empty, or can't be read. */
static __always_inline __u64 first_of_list(__u64 list)
{
	__u64 first = 0;

	bpf_probe_read_kernel(&first, sizeof(first), (void *)list);
	return first == list ? 0 : first;
}

/*
 * Returns the association that accept() will take; 0: not known. It must name the listener's endpoint as its owner: the proof that this
 * is one.
 */
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

/* Returns the address of the VSOCK connection that accept() will take; 0: none, or not known. */
static __always_inline __u64 first_vsock(const struct control *control, __u64 sk)
{
	__u64 first = control->vsock.known ? first_of_list(sk + control->vsock.queue) : 0;

	return first ? first - control->vsock.queue : 0;
}

/* Reads the queue. `control`: also read whether somebody waits, and who; NULL: only how many. */
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
