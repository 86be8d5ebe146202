/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sockets that listen again elsewhere.
 *
 * A thread that waits in accept(2) was allowed to wait on the port of that time. A socket can be made to listen on another one under
 * it: shutdown(2) or connect(2) to AF_UNSPEC, bind(2), listen(2). So each socket keeps where it listened first, and may listen again
 * only there. If the kernel chose that port, nobody knows which it would be next time, so it may not listen again. bind(2) is looked at
 * too: listen(2) takes the socket's lock only after the hook, and another thread could stop and bind the socket in between.
 */
#ifndef SOCKACCEPT_LISTENED_BPF_H
#define SOCKACCEPT_LISTENED_BPF_H

#include "maps.bpf.h"

#include <bpf/bpf_helpers.h>

/*
 * Notes where `sk` listens, unless that was noted before. Returns false if there is no memory: each socket has a bounded share of it,
 * which its owner can use up (Linux, net/core/bpf_sk_storage.c: bpf_sk_storage_charge()).
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

/* True if a listen(2) on `sk`, which doesn't listen, would make it listen elsewhere than before. */
static __always_inline bool is_moved(struct sock *sk, __u32 port, __u32 class)
{
	struct listened *there = bpf_sk_storage_get(&listened, sk, 0, 0);

	return there && (!port || there->port != port || there->class != class);
}

#endif
