/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Listeners: what each socket listens on, the listing of them, and draining.
 */
#ifndef SOCKACCEPT_SHARED_LISTENER_H
#define SOCKACCEPT_SHARED_LISTENER_H

#include <linux/types.h>

#include "event.h"
#include "identity.h"

/* What a socket listens on, kept with it from its first listen(2) on. */
struct listened {
	__u32 port; /* 0: the kernel was to choose one */
	__u32 class;
};

/* What an accept(2) on a listener, under the policy in force, has come to. */
enum gate_state {
	GATE_UNKNOWN, /* there was none */
	GATE_OPEN,    /* one was allowed */
	GATE_SHUT,    /* one was denied, and none was allowed. If POLICY_GATES is set, new requests are refused */
};

/* Record that the iterator `list_listeners` writes for each listening socket that a process has open. */
struct listening {
	__u64 socket; /* an address, for comparison only */
	__u32 pid;    /* of the process */
	__u32 uid;    /* its effective one */
	__u32 netns;
	__u16 class;     /* enum protocol */
	__u16 processes; /* 1: its process has a struct process */
	__u16 family;
	__u16 protocol;
	__u32 backlog;
	__u32 backlog_max;
	struct endpoint local;
	__u32 binary; /* what the process is by a struct process; 0: nothing that a rule has named, or it has none */
	__u32 fd;     /* by which the process has it open */
	__u64 cookie; /* SO_COOKIE */
	__u32 gate;   /* enum gate_state */
	__u32 gid;    /* the process's effective one */
	char comm[16];
};

/*
 * What `drain` is asked for: that its caller's next calls of accept(2) take out what waits on listeners, on which the policy in force
 * denies this binary and user. How it is recorded who had them, if no accept(2) was denied there.
 */
struct draining {
	__u64 promise; /* that somebody drains what is asked for, for so long: ns; 0: none is made */
	__u64 lasts;   /* that the caller may do so: ns; 0: it may not any more */
	__u64 opens;   /* 1: its calls take nothing out, and fail, but open the gates of the listeners */
	__u64 may;     /* answer. 0: it may not: another one does, there is no memory, or the policy is locked */
	__u64 locked;  /* answer. 1: that is why */
	__u32 binary;
	__u32 uid;
	__u32 gid;
	__u32 pid;
	char comm[16];
	struct seen_path path; /* if binary is unnamed */
};

_Static_assert(sizeof(struct listening) == 96, "no padding");

#endif
