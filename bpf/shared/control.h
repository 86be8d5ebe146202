/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control and state: what decisions depend on beside the policy, and how things are.
 */
#ifndef SOCKACCEPT_SHARED_CONTROL_H
#define SOCKACCEPT_SHARED_CONTROL_H

#include <linux/types.h>

#include "counter.h"
#include "event.h"
#include "terms.h"

/* Where btrfs keeps a file's subvolume, in bytes; btrfs is a module, so that CO-RE can't know when we are loaded. */
struct btrfs_layout {
	__u32 inode;     /* btrfs_inode.vfs_inode */
	__u32 root;      /* btrfs_inode.root */
	__u32 objectid;  /* btrfs_root.root_key.objectid */
	__u32 known;     /* 0: the others aren't set */
};

/*
 * Where the waiting connections of a listener are whose protocol is a module, in bytes, for the same reason. If `known`
 * is 0, the others aren't set.
 */
struct sctp_layout {
	__u32 endpoint;    /* sctp_sock.ep */
	__u32 queue;       /* sctp_endpoint.asocs, a list */
	__u32 link;        /* sctp_association.asocs, its member */
	__u32 owner;       /* sctp_association.ep */
	__u32 peer_port;   /* sctp_association.peer.port */
	__u32 peer;        /* sctp_association.peer.primary_addr */
	__u32 socket;      /* sctp_association.base.sk */
	__u32 known;
};

struct vsock_layout {
	__u32 queue; /* vsock_sock.accept_queue, the list of a listener, and its member of one that waits */
	__u32 known;
};

/*
 * Policies on trial. Slot 0 of `policy` has the policy that was loaded last, slot 1 what was in force before it, under a
 * generation of its own. Which of both decides is one word, control.trial, exchanged where both sides could change it:
 *
 *   0                          slot 0
 *   TRIAL_PENDING | deadline   slot 0 until then (ns of CLOCK_BOOTTIME). The first decision after it exchanges the word for
 *                              TRIAL_OVER; `confirm` exchanges it for 0. One of them wins
 *   TRIAL_OVER                 slot 1. The next command that changes something moves it to slot 0, and the word to 0
 */
#define SLOT_LOADED 0
#define SLOT_BEFORE 1
#define POLICY_SLOTS 2
#define TRIAL_PENDING (1ULL << 63)
#define TRIAL_OVER 1ULL

/*
 * What decisions depend on beside the policy. Apart from `state`, which tells how things are and may be read by whoever
 * may read: once the policy is locked, nobody opens this.
 */
struct control {
	__u64 trial;         /* user space and the hook: as above. The first word in every version, for who takes over */
	__u64 next_binary;   /* user space, under its lock: the next number for an entry */
	__u64 next_step;     /* user space, under its lock */
	__u64 entries_epoch; /* user space: next_binary, once its entry is there */
	struct btrfs_layout btrfs; /* user space, before the first rule on btrfs */
	struct sctp_layout sctp;   /* user space, when it finds the module loaded */
	struct vsock_layout vsock; /* user space, likewise */
	__u64 next_superblock; /* from 0: the number before the next */
	__u64 next_unnamed;
	/*
	 * User space: SO_COOKIE of a listener of `doctor`'s own, whose accepts are neither counted nor recorded; 0: none. They
	 * are refused; or, with SELF_TEST_DECIDE, decided, of which the hook leaves SELF_TEST_DECIDED | verdict here. As no two
	 * sockets ever have the same cookie, one that was left here is nobody's.
	 */
	__u64 self_test;
	__u64 processes; /* 1: there is a struct process */
	__u64 drainer;       /* the task that may take out what waits on denied listeners: its address; 0: none (bpf/drain.bpf.h) */
	__u64 drainer_until; /* ns of CLOCK_BOOTTIME */
	__u64 locked;        /* user space: 1: no task may become that any more */
};
#define SELF_TEST_DECIDE (1ULL << 63)
#define SELF_TEST_DECIDED (1ULL << 62)

struct state {
	__u64 layout;        /* SOCKACCEPT_LAYOUT; set once. The first word in every version, and the next one is the second */
	__u64 last_good;     /* user space: 1: in force is what a boot fell back to, as the files were invalid */
	struct tally decisions[VERDICTS];
	__u64 unmediated;
	__u64 refused_earlier; /* calls that an earlier LSM had refused: returned unchanged */
	__u64 forgeries;       /* calls of prctl(2) that would forge an identity */
	__u64 failed;          /* accepts that failed when they had taken a connection from the queue */
	__u64 moves;           /* calls of listen(2) on a socket that was moved to another port */
	__u64 listens;         /* calls of listen(2) that the policy denies */
	__u64 sweeps;          /* of the calls whose end wasn't seen (bpf/settle.bpf.h) */
	__u64 swept;           /* when the last of them was: ns of CLOCK_BOOTTIME */
	__u64 other_calls;     /* accepts under way that found their place in `calls` taken */
	__u64 changes;         /* user space: how often the policy in force was changed */
	__u64 gates;           /* 0: no listener is gated under the policy in force. Counts up with each gate that is shut */
	__u64 gated;           /* requests for a new connection that a gate has refused */
	__u64 drained;         /* connections that were taken out of the queue of a denied listener */
	__u64 drained_until;   /* somebody says that he drains what is asked for until then: ns of CLOCK_BOOTTIME */
	__u64 next_seq;        /* one row of numbers for the events of both buffers */
	struct buffer_state buffer[VERDICTS];
};

_Static_assert(sizeof(struct control) == 144, "no padding");
_Static_assert(sizeof(struct state) == 216, "no padding");

#endif
