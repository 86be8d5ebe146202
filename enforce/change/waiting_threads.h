/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads of the processes that hold denied listeners, and which of them wait in accept(2) on one.
 */
#ifndef SOCKACCEPT_WAITING_THREADS_H
#define SOCKACCEPT_WAITING_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "enforce/kernel/listeners.h"
#include "policy/image.h"

/* What a thread seems to do. */
enum look {
	LOOK_ELSEWHERE, /* it doesn't wait on a denied listener, or has ended */
	LOOK_RUNNING,   /* it runs, so that can't be told yet */
	LOOK_WAITS,     /* it waits in accept(2) on a denied listener */
	LOOK_REFUSED,   /* the kernel doesn't let this process look */
};

/* A process that has denied listeners. Its entries stand side by side in the list of listeners. */
struct holder {
	const struct listener *list;
	const bool *denied; /* of each */
	size_t count;
};

struct thread {
	const struct holder *holder;
	const struct listener *listener; /* on which it waits; any denied one of the holder's, if that can't be told */
	pid_t tid;
	enum look look; /* the last one; at first LOOK_RUNNING */
};

/* Zero-initialised is empty. */
struct threads {
	const struct listeners *listeners;
	bool *denied;           /* of each of them */
	struct holder *holders; /* of denied ones */
	size_t holder_count;
	struct thread *list; /* all threads of the holders */
	size_t count, room;
};

/*
 * Finds all threads of the processes that hold a listener of `listeners` which the policy of `image` denies, but for this process's own.
 * Fills `threads`, which is empty; it points into `listeners`.
 */
void threads_find(struct threads *threads, const struct listeners *listeners, const struct image *image);

/* Returns the process of `thread`. */
pid_t thread_pid(const struct thread *thread);

/* Returns what `thread` does now. Sets *listener to the denied listener on which it waits, for LOOK_WAITS only. */
enum look thread_look(const struct thread *thread, const struct listener **listener);

/*
 * Returns true if `thread` is stopped, by a signal or by a debugger: it has left accept(2) for that, or not entered it, and comes to the
 * hook when it goes on.
 */
bool thread_is_stopped(const struct thread *thread);

/*
 * Returns true if `thread` has ended, is ending, or is to be killed: no program gets a connection by it any more. Of one that has ended and
 * isn't reaped, PTRACE_SEIZE says EPERM, not ESRCH (Linux, kernel/ptrace.c: ptrace_attach()).
 */
bool thread_ends(const struct thread *thread);

/* Returns true if a debugger traces `thread`. */
bool thread_is_traced(const struct thread *thread);

/* Frees what `threads` holds and leaves it empty. */
void threads_clear(struct threads *threads);

#endif
