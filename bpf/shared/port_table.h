/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of counters by (binary, port, verdict), for the hooks and for user space. `ports` in shared/counter.h has an example.
 *
 * A key has its place in one of two groups. Taking a free place is one compare-and-exchange; a place never changes hands. If both
 * groups are full, the key has no place, and the binary's `other_ports` counts instead.
 */
#ifndef SOCKACCEPT_PORT_TABLE_H
#define SOCKACCEPT_PORT_TABLE_H

#include <stdbool.h>

#include "compiler.h"
#include "counter.h"

/* Stands for all VSOCK ports above 65535. */
#define PORT_KEY_BEYOND 0x10000U

/* Returns the key. It is never 0, because BINARY_ANY is not counted here. */
static __always_inline __u64 port_key(__u32 binary, __u32 port, __u32 verdict)
{
	if (port > PORT_KEY_BEYOND)
		port = PORT_KEY_BEYOND;
	return (__u64)binary << 32 | port << 1 | verdict;
}

static __always_inline __u32 port_key_binary(__u64 key)
{
	return key >> 32;
}

static __always_inline __u32 port_key_port(__u64 key)
{
	return (__u32)key >> 1;
}

static __always_inline __u32 port_key_verdict(__u64 key)
{
	return key & 1;
}

/*
 * Returns one of the two groups of a key: bits of its hash, for `choice` 0 or 1. Fibonacci hashing (Knuth, volume 3, 6.4). `named`: the
 * key's binary is a named one.
 */
static __always_inline __u32 port_group_of(__u64 key, unsigned choice, bool named)
{
	__u32 hash = (__u32)(key * 0x9e3779b97f4a7c15ULL >> (choice ? 24 : 44));

	if (named)
		return hash & (NAMED_PORT_GROUPS - 1);
	return NAMED_PORT_GROUPS + (hash & (UNNAMED_PORT_GROUPS - 1));
}

/* Returns the place of `key` in `group`, and takes one if it has none yet. PORT_GROUP_SLOTS: the group is full. */
static __always_inline unsigned port_group_place(struct port_group *group, __u64 key)
{
	for (unsigned i = 0; i < PORT_GROUP_SLOTS; i++) {
		__u64 there = *(volatile __u64 *)&group->key[i];

		if (!there)
			there = __sync_val_compare_and_swap(&group->key[i], 0, key);
		if (!there || there == key)
			return i;
	}
	return PORT_GROUP_SLOTS;
}

#endif
