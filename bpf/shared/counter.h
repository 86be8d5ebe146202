/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters: by rule, and by binary and port. They only grow, and only by atomic adds, so that none is ever lost.
 */
#ifndef SOCKACCEPT_SHARED_COUNTER_H
#define SOCKACCEPT_SHARED_COUNTER_H

#include <linux/types.h>

#include "terms.h"

struct tally {
	__u64 decisions;
	__u64 connections; /* so many of the decisions were about a connection. The others were attempts, or still wait for one */
};

/* Value of `rule_counters`. */
struct rule_counter {
	__u64 hits; /* decisions by this rule, connections and attempts alike */
	__u64 last; /* when the last hit was, to within a tick */
	__u64 tick; /* jiffies when `last` was set */
};

/*
 * Value of `ports`: counters by (binary, port, verdict). The map is an array that bpf/shared/port_table.h uses as a hash table, because a
 * look-up in the kernel's own hash costs an accept() 197 instructions and this one some 60. A key is never removed. The first
 * NAMED_PORT_GROUPS groups are for named binaries alone: anybody can make unnamed ones by copying a file, and these must not fill up
 * the table.
 *
 * Example: nginx, binary 3, accepts on port 80. Its key is 3 << 32 | 80 << 1 | VERDICT_ALLOW. The key's hash names two groups; the key is
 * in key[i] of one of them, and its counter is tally[i].
 */
#define PORT_GROUP_SLOTS 4
struct port_group {
	__u64 key[PORT_GROUP_SLOTS]; /* port_key(); 0: free */
	struct tally tally[PORT_GROUP_SLOTS];
};
#define NAMED_PORT_GROUPS 32768
#define UNNAMED_PORT_GROUPS 2048

/*
 * Value of `other_ports`: counts what found no place in `ports`, by binary. Entry BINARY_ANY counts that of all unnamed binaries, and all
 * of kernel threads.
 */
struct binary_counter {
	struct tally verdict[VERDICTS];
};

_Static_assert(sizeof(struct rule_counter) == 24, "no padding");
_Static_assert(sizeof(struct port_group) == 96, "no padding");
_Static_assert((NAMED_PORT_GROUPS & (NAMED_PORT_GROUPS - 1)) == 0, "a hash is masked to a group");
_Static_assert((UNNAMED_PORT_GROUPS & (UNNAMED_PORT_GROUPS - 1)) == 0, "a hash is masked to a group");

#endif
