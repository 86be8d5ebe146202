/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts threads in accept(2), so that the kernel restarts the call and their programs see nothing of it.
 */
#ifndef SOCKACCEPT_INTERRUPT_H
#define SOCKACCEPT_INTERRUPT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum interrupt_result {
	INTERRUPT_STUCK,    /* it didn't stop in time, as one that can't be interrupted; it was let go */
	INTERRUPT_DONE,     /* it has left accept(2), and enters it anew, unless it took a connection before */
	INTERRUPT_NEEDLESS, /* it no longer waited, or has ended */
	INTERRUPT_REFUSED,  /* the kernel refuses it: a debugger has the thread, or the right to trace is missing */
};

/* A thread, and what came of it. */
struct interrupt {
	pid_t tid;
	enum interrupt_result result;
};

/*
 * Stops each of the `count` threads of `list` once, lets it go again, and sets its result. Calls `waits`, with `data`, right before that:
 * it tells whether the thread still waits in accept(2). Sends no signal. A signal that comes at that moment is delivered; a thread that is
 * stopped by SIGSTOP stays stopped. Takes a second at the most, whatever the threads do.
 *
 * A child process does it, for two reasons. A tracer can't let go of a thread that doesn't stop, but the kernel lets go of all when the
 * tracer ends, whatever ends it. And if this process is killed, the child still comes to its end within two seconds, with no descriptor of
 * this process: so no thread is let go halfway, with the EINTR that is removed only then.
 *
 * Returns 0, or -errno if nothing was done.
 */
int interrupt_accepts(struct interrupt *list, size_t count, bool (*waits)(const struct interrupt *thread, void *data), void *data);

#endif
