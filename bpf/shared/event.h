/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events: the buffers, what an event says, how repeats are folded into windows, and the shares of users.
 */
#ifndef SOCKACCEPT_SHARED_EVENT_H
#define SOCKACCEPT_SHARED_EVENT_H

#include <linux/types.h>

#include "identity.h"
#include "image.h"
#include "terms.h"

/* ---------------------------------------------------------------------------------------------
 * The buffers
 *
 * There is one buffer for each verdict, so that accepted connections never push out denials. Both are in the map `events`: with n slots
 * in each, the buffer of verdict v begins at slot v * n.
 *
 * Writing: a writer takes a ticket t, which stands for slot t % n of the buffer. It claims the slot by exchanging the event's `state` for
 * EVENT_WRITING(t), fills in the event, and publishes it by the state EVENT_READY(t). If a writer one lap behind is still writing
 * there, it leaves t + 1 in `skipped` and takes another ticket.
 *
 * Reading: a reader copies a slot. The copy is good if `state` was the same EVENT_READY(t) before and after. Reading changes nothing.
 *
 * Example, n = 4: ticket 6 stands for slot 2. Its state goes from EVENT_READY(2) = 6 to EVENT_WRITING(6) = 15 to EVENT_READY(6) = 14.
 */
#define DEFAULT_EVENTS 16384 /* slots in each buffer: a power of two */
#define MIN_EVENTS 64
#define MAX_EVENTS 1048576
#define EVENT_READY(ticket) (((ticket) + 1) << 1)
#define EVENT_WRITING(ticket) (((ticket) + 1) << 1 | 1)

struct buffer_state {
	__u64 tickets; /* tickets taken */
	__u64 made;    /* events made: the next one gets this as its `number` */
	__u64 lost;    /* denials and connections that are in no event, for want of a slot or of memory */
};

/* ---------------------------------------------------------------------------------------------
 * The event
 */

/* Why a decision is what it is. */
enum reason {
	REASON_DEFAULT, /* no rule matched */
	REASON_RULE,
	REASON_PRCTL, /* not about an accept(2), but a prctl(2) that would forge an identity: event.operation says which */
	REASON_MOVED, /* not about an accept(2), but a listen(2) that would move a listener to another port */
	REASONS,
};

enum operation {
	OPERATION_ACCEPT,     /* accept(2) with a connection */
	OPERATION_ATTEMPT,    /* a denied accept(2) for which no connection waited */
	OPERATION_LISTEN,     /* a denied listen(2), or a denied bind(2) before it; sockfd is its argument */
	OPERATION_GATED,      /* a refused request for a new connection of a denied listener. Who: whose accept(2) was last denied there */
	OPERATION_DRAINED,    /* a connection that was taken out of a denied listener's queue and reset. Who: the same, or who holds it */
	OPERATION_SET_MM_MAP, /* prctl(PR_SET_MM, PR_SET_MM_MAP) */
	OPERATION_SET_MM_EXE_FILE, /* prctl(PR_SET_MM, PR_SET_MM_EXE_FILE) */
	OPERATIONS,
};

enum event_flag {
	EVENT_ENFORCED = 1 << 0, /* the verdict was returned to the caller: the mode was not permissive */
	EVENT_HAS_PEER = 1 << 1,
	EVENT_PATH_HINT = 1 << 2, /* `path` is only what the process itself would see */
	EVENT_FLAGS_ALL = (1 << 3) - 1,
};

/*
 * Fields in which the repeats differ that a folded event stands for. The event has the value of one of them. Readers show such a field as
 * null.
 */
enum event_difference {
	DIFFER_GENERATION = 1 << 0, /* and so reason, rule and `enforced` are of different policies */
	DIFFER_CGROUP = 1 << 1,
	DIFFER_UNIT = 1 << 2,
	DIFFER_PID = 1 << 3,
	DIFFER_TID = 1 << 4,
	DIFFER_UID = 1 << 5,
	DIFFER_GID = 1 << 6,
	DIFFER_NETNS = 1 << 7,
	DIFFER_SOCKFD = 1 << 8,
	DIFFER_BINARY = 1 << 9,
	DIFFER_BACKLOG = 1 << 10,
	DIFFER_BACKLOG_MAX = 1 << 11,
	DIFFER_FAMILY = 1 << 12,
	DIFFER_PROTOCOL = 1 << 13,
	DIFFER_OPERATION = 1 << 14,
	DIFFER_RULE = 1 << 15, /* and reason */
	DIFFER_ENFORCED = 1 << 16,
	DIFFER_ADDRESS = 1 << 17, /* of `local` */
	DIFFER_PORT = 1 << 18,    /* of `local`, and listener_port */
	DIFFER_PEER = 1 << 19,
	DIFFER_COMM = 1 << 20,
	DIFFER_ALL = (1 << 21) - 1,
};

struct endpoint {
	__u8 address[16]; /* IPv6: network order. IPv4: its first four bytes, the same. VSOCK: the context id, in host order, likewise */
	__u32 port;       /* host order */
};

/* Value of `events`. */
struct event {
	__u64 state;      /* EVENT_READY() or EVENT_WRITING(); 0: never used */
	__u64 skipped;    /* 1 + the last ticket that found this slot in use; 0: none did */
	__u64 seq;        /* sequence number, from 0, shared by both buffers */
	__u64 number;     /* sequence number in its buffer, from 0, without gaps */
	__u64 time_boot;  /* when: ns of CLOCK_BOOTTIME */
	__u64 time_tai;   /* when: ns of CLOCK_TAI */
	__u64 generation; /* of the policy that decided */
	__u64 cgroup_id;
	__u64 unit; /* key in `units`; 0: none */
	__u32 pid;
	__u32 tid;
	__u32 uid;    /* effective */
	__u32 gid;    /* effective */
	__u32 netns;  /* inode number of the network namespace */
	__s32 sockfd; /* the call's descriptor; -1: none */
	__u32 binary;
	__u32 backlog;         /* connections in the listener's queue */
	__u32 backlog_max;     /* the limit of that */
	__u32 count;           /* how many denials it stands for; 1: for itself */
	__u16 family;          /* AF_* */
	__u16 protocol;        /* IPPROTO_*; 0 for AF_VSOCK */
	__u8 verdict;          /* enum verdict */
	__u8 reason;           /* enum reason */
	__u8 flags;            /* enum event_flag */
	__u8 operation;        /* enum operation; of a prctl(2), all fields about the listener are 0 */
	struct endpoint local; /* the connection's own end. Of a denial without connection: the listener's */
	struct endpoint peer;  /* if EVENT_HAS_PEER */
	__u32 listener_port;   /* the port that rules are about. It can differ from local.port, as with TPROXY */
	__u32 differ;          /* enum event_difference; 0: it stands for one denial, or for repeats that are all alike */
	char comm[16];
	struct rule_label rule; /* if reason is REASON_RULE */
	struct seen_path path;  /* if the binary is unnamed */
};

/* Value of `units`: the name of a system unit's cgroup, which is the outermost one that is no slice. The key is the cgroup's id. */
struct unit {
	char name[256];
};

/* ---------------------------------------------------------------------------------------------
 * Windows
 *
 * The first denial of a kind is an event at once. Its repeats are counted in windows of 1, 2, 4, ... 64 s, and each window that has
 * repeats becomes one further event with their `count` (bpf/fold.bpf.h).
 *
 * Example: a server is denied 100 times a second for 4 s. Events: one with count 1 at 0 s; one with count 99 or 100 when the first window
 * ends at 1 s; one with count 200 or so when the second ends at 3 s; and one for the rest.
 */

/* Key of `folds`: which denials are repeats of each other. */
struct fold_key {
	__u64 generation;
	__u32 uid;
	__u32 binary;
	__u32 port;
	__u32 what; /* bits 0 to 7: enum operation; from bit 8: the listener's class, as each protocol can have a rule of its own */
};
#define FOLD_OTHERS 0xffffffffU /* stands for all denials without a fold of their own; a uid that nobody has */

/* Value of `shares`: what one user has used of the events and folds (bpf/share.bpf.h). */
struct share {
	__u64 next;   /* when the user's events would have been made if they had come at exactly the rate of a share */
	__u64 looked; /* when somebody last looked for folds of the user that aren't needed any more */
	__u64 folds;  /* how many folds the user has */
};

/* Argument of the program `close_windows`, and its answer. */
struct closing {
	__u64 age;  /* also close windows that aren't over but have begun so long ago: ns; 0: none of them */
	__u64 left; /* answer: connections of calls that may still be under way. Ask again in a moment */
};

_Static_assert(sizeof(struct endpoint) == 20, "no padding");
_Static_assert(sizeof(struct event) == 512, "an event slot is eight cache lines");
_Static_assert(__builtin_offsetof(struct event, rule) % 8 == 0 && __builtin_offsetof(struct event, comm) % 8 == 0 &&
		       __builtin_offsetof(struct event, path) % 8 == 0,
	       "COPY_WORDS() (bpf/event.bpf.h) copies from there on by words of 8 bytes");
_Static_assert(sizeof(struct fold_key) == 24, "no padding: it is hashed");
_Static_assert((DEFAULT_EVENTS & (DEFAULT_EVENTS - 1)) == 0 && (MIN_EVENTS & (MIN_EVENTS - 1)) == 0 && (MAX_EVENTS & (MAX_EVENTS - 1)) == 0,
	       "a ticket is masked to a slot");
_Static_assert(EVENT_FLAGS_ALL == EVENT_PATH_HINT * 2 - 1 && EVENT_FLAGS_ALL <= 0xff, "event.flags has 8 bits");
_Static_assert(DIFFER_ALL == DIFFER_COMM * 2 - 1, "all differences");
_Static_assert(REASONS <= 0x100 && OPERATIONS <= 0x100 && VERDICTS <= 0x100, "each has one byte in an event");
_Static_assert(OPERATIONS <= 0x100, "an operation has the lowest byte of fold_key.what");

#endif
