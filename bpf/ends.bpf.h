/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two ends of a connection, of one that was accepted or one that waits.
 */
#ifndef SOCKACCEPT_ENDS_BPF_H
#define SOCKACCEPT_ENDS_BPF_H

#include "queue.bpf.h"
#include "shared/control.h"
#include "shared/event.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* The start of union sctp_addr: sockaddr_in or sockaddr_in6, whose layout is ABI. */
struct sctp_address {
	__u16 family;
	__u16 port;
	__u32 v4; /* or IPv6's flow label */
	__u8 v6[16];
};

/* Copies an address of any family but VSOCK. */
static __always_inline void copy_address(struct endpoint *endpoint, __u16 family, __u32 v4, const struct in6_addr *v6)
{
	if (family != AF_INET6)
		*(__u32 *)endpoint->address = v4;
	else
		bpf_probe_read_kernel(endpoint->address, sizeof(endpoint->address), v6);
}

/* Reads the address that a listener is bound to, if its family has addresses. */
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

/* Reads both ends of a connection. `sk` is a typed pointer, so that loads cost no call. */
static __always_inline void typed_ends(struct sock *sk, __u16 family, struct endpoint *local, struct endpoint *peer)
{
	peer->port = bpf_ntohs(sk->__sk_common.skc_dport);
	copy_address(peer, family, sk->__sk_common.skc_daddr, &sk->__sk_common.skc_v6_daddr);
	copy_address(local, family, sk->__sk_common.skc_rcv_saddr, &sk->__sk_common.skc_v6_rcv_saddr);
}

/* Does the same for a pointer that only helpers can read. */
static __always_inline void untyped_ends(struct sock *sk, __u16 family, struct endpoint *local, struct endpoint *peer)
{
	peer->port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	copy_address(peer, family, BPF_CORE_READ(sk, __sk_common.skc_daddr), &sk->__sk_common.skc_v6_daddr);
	copy_address(local, family, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr), &sk->__sk_common.skc_v6_rcv_saddr);
}

/* Reads both ends of a VSOCK connection. Returns false if it isn't one. */
static __always_inline bool vsock_ends(__u64 sk, struct endpoint *local, struct endpoint *peer)
{
	struct vsock_address address[2];

	read_vsock_addresses((struct sock *)sk, address);
	*(__u32 *)local->address = address[0].cid;
	*(__u32 *)peer->address = address[1].cid;
	peer->port = address[1].port;
	return address[1].family == AF_VSOCK;
}

/* Reads the peer of an SCTP association, in the form that an accepted socket of the listener's family shows. */
static __always_inline bool association_peer(const struct control *control, __u64 association, __u16 family, struct endpoint *peer)
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
 * Reads both ends of an accepted connection. Its own port is the one that the client dialled: with TPROXY or a BPF sk_lookup program,
 * that is not the listener's. Returns false if the peer isn't known.
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
 * Reads the ends of what waits on a listener. The local address is that of the waiting connection, or else the listener's. Returns
 * false if no peer is known.
 */
static __always_inline bool waiting_ends(const struct control *control, const struct listener *listener, const struct queue *queue,
					 __u16 family, struct endpoint *local, struct endpoint *peer)
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
	/* SCTP too: an association can have many local addresses, and an accepted socket shows the listener's. */
	bound_address(sk, family, local);
	return queue->untyped_child && association_peer(control, queue->untyped_child, family, peer);
}

#endif
