/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sockets that listen anew elsewhere.
 *
 * A thread that waits in accept(2) was allowed to on the port of then. A socket can be made to listen on another one under it:
 * shutdown(2) or connect(2) to AF_UNSPEC, bind(2), listen(2). So each socket keeps what it listened on first, and may listen again on
 * that only. Of one for which the kernel chose the port, nobody knows what it would be next. bind(2) is looked at too, as listen(2)
 * takes the lock of the socket only after the hook: another thread could stop and bind the socket in between.
 */
#ifndef SOCKACCEPT_LISTENED_BPF_H
#define SOCKACCEPT_LISTENED_BPF_H

#include "maps.bpf.h"

#include <bpf/bpf_helpers.h>

/*
 * Notes what `sk` listens on, unless that was noted before. False: there is no memory for it, of which each socket has its own bounded
 * share, and its owner can use that up (Linux, net/core/bpf_sk_storage.c: bpf_sk_storage_charge()).
 */
static __always_inline bool note_listening(struct sock *sk, __u32 port, __u32 class)
{
	struct listened *there = bpf_sk_storage_get(&listened, sk, 0, 0);

	if (there)
		return true;
	there = bpf_sk_storage_get(&listened, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!there)
		return false;
	there->class = class;
	*(volatile __u32 *)&there->port = port;
	return true;
}

/* True if a listen(2) on `sk`, which doesn't listen, would have it listen on something else than it did. */
static __always_inline bool is_moved(struct sock *sk, __u32 port, __u32 class)
{
	struct listened *there = bpf_sk_storage_get(&listened, sk, 0, 0);

	return there && (!port || there->port != port || there->class != class);
}

#endif
