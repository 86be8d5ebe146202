/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is listened on: family, protocol and port; the queue and who waits in it.
 */
#ifndef SOCKACCEPT_LISTENER_BPF_H
#define SOCKACCEPT_LISTENER_BPF_H

#include "kernel_types.h"
#include "shared/protocol.h"
#include "shared/sockaccept.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* No port, or one that can't be read: above 65535, so that only rules for `any` match. */
#define PORT_UNKNOWN 0xffffffffU

/* What a request says of the listener. Read before the decision. */
struct listener {
	struct sock *sk;
	__u32 port;
	__u32 class; /* enum protocol */
	__u32 family;
	__u16 protocol; /* IPPROTO_*, where the family has that; else 0 */
	__u16 state;
};

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

/* What is local passes unjudged; whatever reaches beyond the machine, or isn't known here, is judged. */
static __always_inline bool is_mediated(__u16 family)
{
	if (family == AF_INET || family == AF_INET6) /* nearly all are */
		return true;
	return family != AF_UNIX && family != AF_NETLINK && family != AF_ALG && family != AF_KCM;
}

/* True if listeners of this family have a port that rules can name. */
static __always_inline bool has_ports(__u16 family)
{
	return family == AF_INET || family == AF_INET6 || family == AF_VSOCK;
}

static __always_inline bool is_listening(__u32 family, __u32 state)
{
	return state == TCP_LISTEN || (state == BT_LISTEN && (family == AF_BLUETOOTH || family == AF_IUCV));
}

/*
 * struct vsock_sock is a module's type, which isn't in the kernel's own BTF, nor anywhere before the
 * module is loaded. It begins with a struct sock and a pointer, then the local sockaddr_vm and the peer's, whose layout
 * is ABI. Their family is the proof that this still holds.
 */
struct vsock_address {
	__u16 family;
	__u16 reserved;
	__u32 port;
	__u32 cid;
	__u32 flags;
};

static __always_inline void read_vsock_addresses(struct sock *sk, struct vsock_address address[2])
{
	__u64 offset = ((bpf_core_type_size(struct sock) + 7) & ~7ULL) + sizeof(void *);

	__builtin_memset(address, 0, 2 * sizeof(*address));
	bpf_probe_read_kernel(address, 2 * sizeof(*address), (void *)sk + offset);
}

static __always_inline void read_vsock(struct listener *listener)
{
	struct vsock_address address[2];

	read_vsock_addresses(listener->sk, address);
	listener->class = PROTOCOL_VSOCK;
	listener->port = address[0].family == AF_VSOCK ? address[0].port : PORT_UNKNOWN;
}

/*
 * Fills `listener` for the mediated socket `sk` of this family. What is known of the families apart is blurred, or the verifier
 * would follow each through all that comes after, which takes it three times as long.
 */
static __always_inline void read_listener(struct listener *listener, struct sock *sk, __u16 family)
{
	__u32 noise = sk->__sk_common.skc_state;

	listener->sk = sk;
	listener->state = noise;
	listener->family = family;
	if (family == AF_INET || family == AF_INET6) {
		/* After the state: what listens has its port. */
		listener->port = *(volatile __u16 *)&sk->__sk_common.skc_num;
		listener->protocol = sk->sk_protocol;
		listener->class = class_of(listener->protocol);
	} else if (family == AF_VSOCK) {
		read_vsock(listener);
	} else {
		listener->port = PORT_UNKNOWN;
		listener->class = PROTOCOL_ANY;
	}
	BLUR(listener->port, noise);
	BLUR(listener->class, noise);
	BLUR(listener->family, noise);
	BLUR(listener->protocol, noise);
}

/*
 * True if `sock` could listen, and doesn't: accept(2) on it is EINVAL. That must be said before the protocol looks, as the socket
 * could begin to listen in between, on a port that was never asked about.
 */
static __always_inline bool is_idle(const struct socket *sock, const struct listener *listener)
{
	__u32 family = listener->family;
	short type;

	/* Without a port it listens as soon as the kernel has found one (Linux, inet_csk_listen_start()), and nobody was asked about that. */
	if (is_listening(family, listener->state) && (listener->port || family == AF_VSOCK))
		return false;
	type = sock->type;
	if (family == AF_VSOCK)
		return type == SOCK_STREAM || type == SOCK_SEQPACKET;
	return (family == AF_INET || family == AF_INET6) && (type == SOCK_STREAM || type == SOCK_DCCP);
}

/* The start of union sctp_addr: sockaddr_in or sockaddr_in6, whose layout is ABI. */
struct sctp_address {
	__u16 family;
	__u16 port;
	__u32 v4; /* or IPv6's flow label */
	__u8 v6[16];
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

/* The port that the first subflow of an MPTCP socket is bound to; 0: none. */
static __always_inline __u32 mptcp_port(struct sock *sk)
{
	struct mptcp_sock *mptcp = (void *)sk;

	return BPF_CORE_READ(mptcp, first, __sk_common.skc_num);
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

static __always_inline void copy_address(struct endpoint *endpoint, __u16 family, __u32 v4, const struct in6_addr *v6)
{
	if (family != AF_INET6)
		*(__u32 *)endpoint->address = v4;
	else
		bpf_probe_read_kernel(endpoint->address, sizeof(endpoint->address), v6);
}

/* The address that a listener is bound to, in a family that has some. */
static __always_inline void bound_address(struct sock *sk, __u16 family, struct endpoint *local)
{
	struct vsock_address address[2];

	if (family == AF_VSOCK) {
		read_vsock_addresses(sk, address);
		*(__u32 *)local->address = address[0].cid;
	} else if (has_ports(family)) {
		copy_address(local, family, sk->__sk_common.skc_rcv_saddr, &sk->__sk_common.skc_v6_rcv_saddr);
	}
}

/* The two ends of a connection. `sk`: a typed pointer, whose loads cost no call. */
static __always_inline void typed_ends(struct sock *sk, __u16 family, struct endpoint *local, struct endpoint *peer)
{
	peer->port = bpf_ntohs(sk->__sk_common.skc_dport);
	copy_address(peer, family, sk->__sk_common.skc_daddr, &sk->__sk_common.skc_v6_daddr);
	copy_address(local, family, sk->__sk_common.skc_rcv_saddr, &sk->__sk_common.skc_v6_rcv_saddr);
}

static __always_inline void untyped_ends(struct sock *sk, __u16 family, struct endpoint *local, struct endpoint *peer)
{
	peer->port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	copy_address(peer, family, BPF_CORE_READ(sk, __sk_common.skc_daddr), &sk->__sk_common.skc_v6_daddr);
	copy_address(local, family, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr), &sk->__sk_common.skc_v6_rcv_saddr);
}

/* Those of a VSOCK connection. Returns false if it isn't one. */
static __always_inline bool vsock_ends(__u64 sk, struct endpoint *local, struct endpoint *peer)
{
	struct vsock_address address[2];

	read_vsock_addresses((struct sock *)sk, address);
	*(__u32 *)local->address = address[0].cid;
	*(__u32 *)peer->address = address[1].cid;
	peer->port = address[1].port;
	return address[1].family == AF_VSOCK;
}

/* The peer of an SCTP association, in the form that an accepted socket of the listener's family will show. */
static __always_inline bool association_peer(const struct control *control, __u64 association, __u16 family,
					     struct endpoint *peer)
{
	struct sctp_address address = { 0 };
	__u16 port = 0;

	bpf_probe_read_kernel(&port, sizeof(port), (void *)(association + control->sctp.peer_port));
	bpf_probe_read_kernel(&address, sizeof(address), (void *)(association + control->sctp.peer));
	peer->port = port;
	if (address.family == AF_INET6) {
		__builtin_memcpy(peer->address, address.v6, sizeof(peer->address));
		return true;
	}
	if (family == AF_INET) {
		*(__u32 *)peer->address = address.v4;
	} else {
		((__u32 *)peer->address)[2] = bpf_htonl(0xffff);
		((__u32 *)peer->address)[3] = address.v4;
	}
	return address.family == AF_INET;
}

/*
 * Both ends of an accepted connection. Its own port is the one that was dialled: with TPROXY or a BPF sk_lookup program, not the
 * listener's. Returns false if the peer isn't known.
 */
static __always_inline bool connection_ends(struct sock *sk, __u16 family, struct endpoint *local, struct endpoint *peer)
{
	struct sock *first;

	if (family != AF_INET && family != AF_INET6)
		return family == AF_VSOCK && vsock_ends((__u64)sk, local, peer);
	if (sk->sk_protocol == IPPROTO_MPTCP) {
		first = BPF_CORE_READ((struct mptcp_sock *)sk, first);
		if (first) {
			local->port = BPF_CORE_READ(first, __sk_common.skc_num);
			untyped_ends(first, family, local, peer);
			return true;
		}
	}
	local->port = sk->__sk_common.skc_num;
	typed_ends(sk, family, local, peer);
	return true;
}

/*
 * The same of a listener: the local address is that of the connection that waits, or else the listener's. Returns false
 * if no peer is known.
 */
static __always_inline bool waiting_ends(const struct control *control, const struct listener *listener,
				      const struct queue *queue, __u16 family, struct endpoint *local, struct endpoint *peer)
{
	struct sock *sk = listener->sk;

	if (!has_ports(family))
		return false;
	if (family == AF_VSOCK) {
		if (queue->untyped_child && vsock_ends(queue->untyped_child, local, peer))
			return true;
		bound_address(sk, family, local);
		return false;
	}
	if (queue->child) {
		typed_ends(queue->child, family, local, peer);
		return true;
	}
	if (queue->untyped_child && listener->protocol != IPPROTO_SCTP) {
		untyped_ends((struct sock *)queue->untyped_child, family, local, peer);
		return true;
	}
	/* Of SCTP too: an association may have many local addresses, and an accepted socket shows the listener's. */
	bound_address(sk, family, local);
	return queue->untyped_child && association_peer(control, queue->untyped_child, family, peer);
}

#endif
