/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control: what decisions depend on beside the policy. State: totals and numbers for who reads.
 *
 * They are two maps because of `lock`: once the policy is locked, nobody can open `control`, while `state` can still be read.
 */
#ifndef SOCKACCEPT_SHARED_CONTROL_H
#define SOCKACCEPT_SHARED_CONTROL_H

#include <linux/types.h>

#include "counter.h"
#include "event.h"
#include "terms.h"

/* ---------------------------------------------------------------------------------------------
 * Where modules keep what the hook reads: offsets in bytes
 *
 * CO-RE can't know them, as the module may be loaded after the programs. User space reads them from the module's BTF. If `known` is 0,
 * the other fields aren't set.
 */

/* The subvolume of a file on btrfs. */
struct btrfs_layout {
	__u32 inode;    /* btrfs_inode.vfs_inode */
	__u32 root;     /* btrfs_inode.root */
	__u32 objectid; /* btrfs_root.root_key.objectid */
	__u32 known;
};

/* The connections that wait on an SCTP listener. */
struct sctp_layout {
	__u32 endpoint;  /* sctp_sock.ep */
	__u32 queue;     /* sctp_endpoint.asocs: a list */
	__u32 link;      /* sctp_association.asocs: member of that list */
	__u32 owner;     /* sctp_association.ep */
	__u32 peer_port; /* sctp_association.peer.port */
	__u32 peer;      /* sctp_association.peer.primary_addr */
	__u32 socket;    /* sctp_association.base.sk */
	__u32 known;
};

/* The connections that wait on a VSOCK listener. */
struct vsock_layout {
	__u32 queue; /* vsock_sock.accept_queue: the list, of a listener; the member of it, of a socket that waits */
	__u32 known;
};

/* ---------------------------------------------------------------------------------------------
 * A policy on trial
 *
 * The map `policy` has two slots: SLOT_LOADED has the policy that was loaded last, SLOT_BEFORE the one that was in force before it, with
 * a generation of its own. The word control.trial says which of both decides. Where both sides can change it, they exchange it:
 *
 *   0                          SLOT_LOADED decides. There is no trial
 *   TRIAL_PENDING | deadline   SLOT_LOADED decides until the deadline. The first decision after it exchanges the word for TRIAL_OVER;
 *                              `confirm` exchanges it for 0. Only one of them wins
 *   TRIAL_OVER                 SLOT_BEFORE decides. The next command that changes something moves that policy to SLOT_LOADED and sets
 *                              the word to 0
 *
 * Example: `load --confirm 60` at 1,000 s sets TRIAL_PENDING | 1060000000000. The first decision after 1,060 s reverts to the policy
 * before, unless `confirm` has set the word to 0.
 */
#define SLOT_LOADED 0
#define SLOT_BEFORE 1
#define POLICY_SLOTS 2
#define TRIAL_PENDING (1ULL << 63)
#define TRIAL_OVER 1ULL

/* Value of `control`. "User space" writes a field, unless the comment says who else does. */
struct control {
	__u64 trial;               /* as above; the hook too. The first word in every version, so that an upgrade finds it */
	__u64 next_binary;         /* the number that the next new entry gets. User space changes it under its lock */
	__u64 next_step;           /* the next step of an entry that is found by names. The same */
	__u64 entries_epoch;       /* next_binary, set once the latest entry is in the map: look-ups before it may have missed that entry */
	struct btrfs_layout btrfs; /* set before the first rule on btrfs */
	struct sctp_layout sctp;   /* set when the module is found loaded */
	struct vsock_layout vsock; /* the same */
	__u64 next_superblock;     /* identify_files: the number that was given last; 0: none was */
	__u64 next_unnamed;        /* the hook: how many unnamed numbers were given */
	/*
	 * SO_COOKIE of a listener of `doctor`'s own; 0: none. Its accepts are neither counted nor recorded. They are refused; or, if
	 * SELF_TEST_DECIDE is set, decided by the policy, and the hook then writes SELF_TEST_DECIDED | verdict here. As no two sockets
	 * ever have the same cookie, a value that was left behind concerns nobody.
	 */
	__u64 self_test;
	__u64 processes;     /* the hook: 1: some process has a struct process */
	__u64 drainer;       /* program `drain`: address of the task that may take out connections; 0: none (bpf/drain.bpf.h) */
	__u64 drainer_until; /* the same: until when it may */
	__u64 locked;        /* 1: no task may become the drainer any more */
};
#define SELF_TEST_DECIDE (1ULL << 63)
#define SELF_TEST_DECIDED (1ULL << 62)

/* Value of `state`. The hooks write a field, unless the comment says who does. */
struct state {
	__u64 layout;    /* user space, once: SOCKACCEPT_LAYOUT. The first word in every version; last_good is the second */
	__u64 last_good; /* user space: 1: the policy files were invalid at boot, and the last good policy is in force */
	struct tally decisions[VERDICTS]; /* by verdict */
	__u64 unmediated;                 /* accepts on sockets that are not judged, as of AF_UNIX */
	__u64 refused_earlier;            /* accepts that an earlier LSM had refused: its error was returned unchanged */
	__u64 forgeries;                  /* calls of prctl(2) that would forge an identity */
	__u64 failed;                     /* accepts that took a connection from the queue and then failed */
	__u64 moves;                      /* calls of listen(2) or bind(2) that would move a listener to another port */
	__u64 listens;                    /* calls of listen(2) that the policy denies */
	__u64 sweeps;                     /* how many times calls were swept whose end wasn't seen (bpf/settle.bpf.h) */
	__u64 swept;                      /* when that was last */
	__u64 other_calls;                /* accepts under way that found their place in `calls` taken */
	__u64 changes;                    /* user space: how many times the policy in force was changed */
	__u64 gates;         /* 0: no gate is shut under the policy in force (user space resets it). Counts up with each that is shut */
	__u64 gated;         /* requests for a new connection that a gate refused */
	__u64 drained;       /* connections that were taken out of the queue of a denied listener */
	__u64 drained_until; /* program `drain`: until when somebody promises to drain what is asked for */
	__u64 next_seq;      /* event.seq of the next event, of either buffer */
	struct buffer_state buffer[VERDICTS];
};

_Static_assert(sizeof(struct control) == 144, "no padding");
_Static_assert(sizeof(struct state) == 216, "no padding");
_Static_assert((SELF_TEST_DECIDED & (VERDICTS - 1)) == 0, "a verdict fits beside SELF_TEST_DECIDED");

#endif
