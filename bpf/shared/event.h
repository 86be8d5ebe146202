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

/* Why a decision is what it is. */
enum reason {
	REASON_DEFAULT,
	REASON_RULE,
	REASON_PRCTL, /* no decision about accept(2), but a prctl(2) that would forge an identity: event.operation */
	REASON_MOVED, /* nor this: a listen(2) by which a socket that has listened before would listen on another port */
	REASONS,
};

/* ---------------------------------------------------------------------------------------------
 * Events
 *
 * A writer takes a ticket t, claims slot t % slots by exchanging its `state`, fills it, and publishes
 * it with the state EVENT_READY(t). If the slot is still being written by a writer one lap behind, it
 * leaves t in `skipped` and takes another ticket. A reader copies a slot and believes the copy if the
 * state was the same EVENT_READY(t) before and after.
 */
#define DEFAULT_EVENTS 16384 /* in each buffer; a power of two */
#define MIN_EVENTS 64
#define MAX_EVENTS 1048576
#define EVENT_READY(ticket) (((ticket) + 1) << 1)
#define EVENT_WRITING(ticket) (((ticket) + 1) << 1 | 1)

/*
 * Buffers of events: one for each verdict, so that accepted connections can't push out denials. Both are in one map, the
 * buffer of verdict v from slot v * slots on.
 */
struct buffer_state {
	__u64 tickets; /* slots asked for; ticket t stands for slot t % slots */
	__u64 made;    /* events made: each has a number below this */
	__u64 lost;    /* denials and connections in no event, as there was no slot or no memory */
};

struct endpoint {
	__u8 address[16]; /* network order; of IPv4, only the first four count; of VSOCK too: the context id, host order */
	__u32 port;       /* host order */
};

enum event_flag {
	EVENT_ENFORCED = 1 << 0,  /* the verdict was returned to the caller (not permissive) */
	EVENT_HAS_PEER = 1 << 1,
	EVENT_PATH_HINT = 1 << 2, /* path is only what the process itself would see */
};

/* What the repeats that a folded event stands for don't have in common, field by field. The event has a value of one of them. */
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
	DIFFER_RULE = 1 << 15,      /* and reason */
	DIFFER_ENFORCED = 1 << 16,
	DIFFER_ADDRESS = 1 << 17,   /* of `local` */
	DIFFER_PORT = 1 << 18,      /* of `local`, and listener_port */
	DIFFER_PEER = 1 << 19,
	DIFFER_COMM = 1 << 20,
	DIFFER_ALL = (1 << 21) - 1,
};

enum operation {
	OPERATION_ACCEPT,
	OPERATION_ATTEMPT, /* a denied accept(2) for which no connection waited */
	OPERATION_LISTEN,  /* a denied listen(2), or a bind(2) before it; sockfd is its argument */
	OPERATION_GATED,   /* a request for a new connection of a denied listener. Who: whose accept(2) was denied last there */
	OPERATION_DRAINED, /* a connection that was taken out of the queue of a denied listener, and reset. Who: as above, or who holds it */
	OPERATION_SET_MM_MAP,      /* prctl(PR_SET_MM, PR_SET_MM_MAP) */
	OPERATION_SET_MM_EXE_FILE, /* prctl(PR_SET_MM, PR_SET_MM_EXE_FILE) */
	OPERATIONS,
};

struct event {
	__u64 state;
	__u64 skipped; /* 1 + the last ticket that found this slot in use */
	__u64 seq;
	__u64 number;    /* in its buffer, from 0, without gaps */
	__u64 time_boot; /* ns of CLOCK_BOOTTIME */
	__u64 time_tai;  /* ns of CLOCK_TAI */
	__u64 generation;
	__u64 cgroup_id;
	__u64 unit; /* key in `units`; 0: none */
	__u32 pid;
	__u32 tid;
	__u32 uid; /* effective */
	__u32 gid; /* effective */
	__u32 netns;
	__s32 sockfd; /* -1: the call has none */
	__u32 binary;
	__u32 backlog;
	__u32 backlog_max;
	__u32 count; /* denials that it stands for */
	__u16 family;   /* AF_* */
	__u16 protocol; /* IPPROTO_*; 0 for AF_VSOCK */
	__u8 verdict;   /* enum verdict */
	__u8 reason;    /* enum reason */
	__u8 flags;     /* enum event_flag */
	__u8 operation; /* enum operation; of a prctl(), the listener's fields are 0 */
	struct endpoint local; /* the connection's own end; of a denial, the listener's */
	struct endpoint peer; /* if EVENT_HAS_PEER */
	__u32 listener_port; /* which rules are about: with TPROXY, for one, local.port is another */
	__u32 differ;        /* enum event_difference; 0: it stands for one denial, or for repeats that are all alike */
	char comm[16];
	struct rule_label rule; /* if reason is REASON_RULE */
	struct seen_path path;  /* if binary is unnamed */
};

/* The name of the cgroup of a system unit: of the outermost that is no slice. */
struct unit {
	char name[256];
};

/* Which denials are folded together (bpf/fold.bpf.h). */
struct fold_key {
	__u64 generation;
	__u32 uid;
	__u32 binary;
	__u32 port;
	__u32 what; /* operation, and from bit 8 on the class of the listener: each protocol can have a rule of its own */
};
#define FOLD_OTHERS 0xffffffffU /* for whatever has no entry of its own; a uid that nobody has */

/* What one user can make of events and folds (bpf/fold.bpf.h). */
struct share {
	__u64 next;   /* when events at the rate of the user's share would be as many as there were: ns of CLOCK_BOOTTIME */
	__u64 looked; /* when it was last looked for folds that aren't needed any more */
	__u64 folds;  /* how many the user has */
};

/* What `close_windows` is asked for, and answers. */
struct closing {
	__u64 age;  /* also windows that aren't over, if they are so old: ns; 0: none of them */
	__u64 left; /* connections of calls that may still be under way: ask again in a moment */
};

_Static_assert(sizeof(struct endpoint) == 20, "no padding");
_Static_assert(sizeof(struct event) == 512, "an event slot is eight cache lines");
_Static_assert(sizeof(struct fold_key) == 24, "no padding: it is hashed");

#endif
