/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Listeners: where a socket listened first, the list of all listeners, and draining them.
 */
#ifndef SOCKACCEPT_SHARED_LISTENER_H
#define SOCKACCEPT_SHARED_LISTENER_H

#include <linux/types.h>

#include "event.h"
#include "identity.h"
#include "terms.h"

/* Value of `listened`: where a socket listened first. Kept with it from then on (bpf/listened.bpf.h). */
struct listened {
	__u32 port;  /* 0: it left the choice to the kernel */
	__u32 class; /* enum protocol */
};

/* What accept(2) on a listener has come to under the policy in force (bpf/gate.bpf.h). */
enum gate_state {
	GATE_UNKNOWN, /* nobody has called it */
	GATE_OPEN,    /* one was allowed */
	GATE_SHUT,    /* one was denied, and none was allowed. If POLICY_GATES is set, requests for new connections are refused */
};

/* Record that the iterator `list_listeners` writes for each listening socket that a process has open. */
struct listening {
	__u64 socket;      /* its address */
	__u32 pid;         /* of the process */
	__u32 uid;         /* effective, of the process */
	__u32 netns;       /* inode number of the network namespace */
	__u16 class;       /* enum protocol */
	__u16 processes;   /* 1: the process has a struct process */
	__u16 family;      /* AF_* */
	__u16 protocol;    /* IPPROTO_*; 0 for AF_VSOCK */
	__u32 backlog;     /* connections in the queue */
	__u32 backlog_max; /* the limit of that */
	struct endpoint local;
	__u32 binary; /* what the process is by its struct process; 0: no rule named it, or it has none */
	__u32 fd;     /* the process's descriptor of it */
	__u64 cookie; /* SO_COOKIE */
	__u32 gate;   /* enum gate_state */
	__u32 gid;    /* effective, of the process */
	char comm[16];
};

/*
 * Argument of the program `drain`, and its answer. The caller asks that its next calls of accept(2) take out the connections that wait on
 * listeners where the policy in force denies this binary and user. The rest says who is recorded as the holder of such a listener, if no
 * accept(2) was denied there.
 */
struct draining {
	__u64 promise; /* for how long somebody drains what is asked for: ns; 0: no promise is made */
	__u64 lasts;   /* for how long the caller wants to take out connections: ns; 0: no longer */
	__u64 opens;   /* 1: its calls take nothing out and fail, but open the gates of the listeners */
	__u64 may;     /* answer: 1: it may. 0: another task drains, there is no memory, or the policy is locked */
	__u64 locked;  /* answer: 1: the policy is locked */
	__u32 binary;
	__u32 uid;
	__u32 gid;
	__u32 pid;
	char comm[16];
	struct seen_path path; /* if the binary is unnamed */
};

_Static_assert(sizeof(struct listened) == 8, "no padding");
_Static_assert(sizeof(struct listening) == 96, "no padding");

#endif
