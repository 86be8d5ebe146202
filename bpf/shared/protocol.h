/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The class of protocols that a protocol of AF_INET or AF_INET6 belongs to, for both sides. Whoever includes this defines IPPROTO_*
 * first: the C library has them as an enum, which a BPF program can't include.
 */
#ifndef SOCKACCEPT_PROTOCOL_H
#define SOCKACCEPT_PROTOCOL_H

#include "compiler.h"
#include "terms.h"

/* Returns the class; PROTOCOL_ANY: no rule can name the protocol. */
static __always_inline __u32 class_of(__u16 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_MPTCP: return PROTOCOL_TCP;
	case IPPROTO_SCTP: return PROTOCOL_SCTP;
	default: return PROTOCOL_ANY;
	}
}

#endif
