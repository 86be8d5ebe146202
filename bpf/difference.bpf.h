/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In which fields repeats of a denial differ.
 */
#ifndef SOCKACCEPT_DIFFERENCE_BPF_H
#define SOCKACCEPT_DIFFERENCE_BPF_H

#include "shared/compiler.h"
#include "shared/event.h"

/*
 * Adds `fields` to *differ if `bits` isn't 0. Without a branch, because a verifier follows each branch in each combination. And one
 * after the other, because the stack has no room for what all of them compare.
 */
static __always_inline void differ_in(__u64 *differ, __u32 fields, __u64 bits)
{
	bits |= -bits;
	FORGET(bits);
	*differ |= (bits >> 63) * fields;
	__asm__ volatile("" : "+r"(*differ) : : "memory");
}

/* Returns 0 if both are the same. So do the next two. */
static __always_inline __u64 address_bits(const struct endpoint *a, const struct endpoint *b)
{
	__u64 bits = 0;

	UNROLL
	for (unsigned i = 0; i < sizeof(a->address) / sizeof(__u32); i++)
		bits |= ((const __u32 *)a->address)[i] ^ ((const __u32 *)b->address)[i];
	return bits;
}

static __always_inline __u64 comm_bits(const struct event *a, const struct event *b)
{
	return (((const __u64 *)a->comm)[0] ^ ((const __u64 *)b->comm)[0]) | (((const __u64 *)a->comm)[1] ^ ((const __u64 *)b->comm)[1]);
}

static __always_inline __u64 rule_bits(const struct event *a, const struct event *b)
{
	__u64 bits = a->reason ^ b->reason;

	if (a->reason != REASON_RULE)
		return bits;
	UNROLL
	for (unsigned i = 0; i < sizeof(a->rule) / sizeof(__u64); i++)
		bits |= ((const __u64 *)&a->rule)[i] ^ ((const __u64 *)&b->rule)[i];
	return bits;
}

/* Adds the fields in which two denials with one key can differ: enum event_difference. */
static __always_inline void differences(__u64 *differ, const struct event *a, const struct event *b)
{
	differ_in(differ, DIFFER_CGROUP, a->cgroup_id ^ b->cgroup_id);
	differ_in(differ, DIFFER_UNIT, a->unit ^ b->unit);
	differ_in(differ, DIFFER_PID, a->pid ^ b->pid);
	differ_in(differ, DIFFER_TID, a->tid ^ b->tid);
	differ_in(differ, DIFFER_GID, a->gid ^ b->gid);
	differ_in(differ, DIFFER_NETNS, a->netns ^ b->netns);
	differ_in(differ, DIFFER_SOCKFD, a->sockfd ^ b->sockfd);
	differ_in(differ, DIFFER_BACKLOG, a->backlog ^ b->backlog);
	differ_in(differ, DIFFER_BACKLOG_MAX, a->backlog_max ^ b->backlog_max);
	differ_in(differ, DIFFER_FAMILY | DIFFER_ADDRESS | DIFFER_PEER, a->family ^ b->family);
	differ_in(differ, DIFFER_PROTOCOL, a->protocol ^ b->protocol);
	differ_in(differ, DIFFER_ADDRESS, address_bits(&a->local, &b->local));
	differ_in(differ, DIFFER_PORT, a->local.port ^ b->local.port);
	differ_in(differ, DIFFER_PEER,
		  ((a->flags ^ b->flags) & EVENT_HAS_PEER) | (a->peer.port ^ b->peer.port) | address_bits(&a->peer, &b->peer));
	differ_in(differ, DIFFER_COMM, comm_bits(a, b));
	differ_in(differ, DIFFER_RULE, rule_bits(a, b)); /* a temporary rule has ended */
}

/* Adds the fields in which denials can differ that share a series, but not a key. */
static __always_inline void key_differences(__u64 *differ, const struct event *a, const struct event *b)
{
	differ_in(differ, DIFFER_GENERATION, a->generation ^ b->generation);
	differ_in(differ, DIFFER_UID, a->uid ^ b->uid);
	differ_in(differ, DIFFER_BINARY, a->binary ^ b->binary);
	differ_in(differ, DIFFER_OPERATION, a->operation ^ b->operation);
	differ_in(differ, DIFFER_ENFORCED, (a->flags ^ b->flags) & EVENT_ENFORCED);
}

#endif
