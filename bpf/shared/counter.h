/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters: by rule, and by binary and port.
 */
#ifndef SOCKACCEPT_SHARED_COUNTER_H
#define SOCKACCEPT_SHARED_COUNTER_H

#include <linux/types.h>

#include "terms.h"

/* ---------------------------------------------------------------------------------------------
 * Counters. All are changed by atomic adds only.
 */
struct tally {
	__u64 decisions;
	__u64 connections; /* of them; the others are attempts, or wait for a connection just now */
};

struct rule_counter {
	__u64 hits; /* decisions, connections and attempts alike */
	__u64 last; /* when the last of them was, give or take a tick: ns of CLOCK_BOOTTIME */
	__u64 tick; /* of jiffies, when that was set */
};

/*
 * Counters by (binary, port, verdict): a hash table of our own (bpf/shared/port_table.h), as a look-up in the kernel's
 * costs an accept() 197 instructions, and in this one some 60. A key is never removed. Binaries that rules name have the
 * first NAMED_PORT_GROUPS groups for themselves, so that those that anybody can make by copying a file take no
 * room from them.
 */
#define PORT_GROUP_SLOTS 4
struct port_group {
	__u64 key[PORT_GROUP_SLOTS]; /* port_key(); 0: free */
	struct tally tally[PORT_GROUP_SLOTS];
};
#define NAMED_PORT_GROUPS 32768 /* powers of two */
#define UNNAMED_PORT_GROUPS 2048

/* What found no place there, by binary; under BINARY_ANY that of all without a name, and of kernel threads. */
struct binary_counter {
	struct tally verdict[VERDICTS];
};

_Static_assert(sizeof(struct rule_counter) == 24, "no padding");
_Static_assert(sizeof(struct port_group) == 96, "no padding");

#endif
