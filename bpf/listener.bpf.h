/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is listened on: family, protocol and port.
 */
#ifndef SOCKACCEPT_LISTENER_BPF_H
#define SOCKACCEPT_LISTENER_BPF_H

#include "kernel_types.h"
#include "shared/protocol.h"
#include "shared/terms.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* No port, or one that can't be read. Above 65535, so that only rules for `any` match. */
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

/* True if accepts of this family are judged. What is local passes. What reaches beyond the machine, or isn't known here, is judged. */
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
 * The start of a sockaddr_vm. struct vsock_sock is a type of a module: it isn't in the kernel's own BTF, nor anywhere before the module
 * is loaded. It begins with a struct sock and a pointer; then come the local sockaddr_vm and the peer's, whose layout is ABI. Their
 * family proves that this still holds.
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
 * Fills in `listener` for the mediated socket `sk` of this family. What is known of each family is blurred. Otherwise the verifier
 * would follow each of them through all that comes after, which takes it three times as long.
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
 * True if `sock` could listen and doesn't: accept(2) on it fails with EINVAL. The hook must say so before the protocol looks, because
 * the socket could begin to listen in between, on a port that nobody was asked about.
 */
static __always_inline bool is_idle(const struct socket *sock, const struct listener *listener)
{
	__u32 family = listener->family;
	short type;

	/*
	 * Without a port it listens as soon as the kernel has found one (Linux, inet_csk_listen_start()), and nobody was asked about
	 * it.
	 */
	if (is_listening(family, listener->state) && (listener->port || family == AF_VSOCK))
		return false;
	type = sock->type;
	if (family == AF_VSOCK)
		return type == SOCK_STREAM || type == SOCK_SEQPACKET;
	return (family == AF_INET || family == AF_INET6) && (type == SOCK_STREAM || type == SOCK_DCCP);
}

/* Returns the port that the first subflow of an MPTCP socket is bound to; 0: none. */
static __always_inline __u32 mptcp_port(struct sock *sk)
{
	struct mptcp_sock *mptcp = (void *)sk;

	return BPF_CORE_READ(mptcp, first, __sk_common.skc_num);
}

#endif
