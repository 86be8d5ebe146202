/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts threads in accept(2), so that the kernel restarts the call, which their programs don't see.
 */
#ifndef SOCKACCEPT_INTERRUPT_H
#define SOCKACCEPT_INTERRUPT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum interrupt_result {
	INTERRUPT_STUCK,   /* it didn't stop in time, as where it can't be interrupted; it was let go */
	INTERRUPT_DONE,    /* it has left accept(2), and enters it anew, unless it took a connection before */
	INTERRUPT_NEEDLESS, /* it didn't wait any more, or has ended */
	INTERRUPT_REFUSED, /* the kernel refuses it: a debugger has the thread, or the right to trace is missing */
};

/* A thread. */
struct interrupt {
	pid_t tid;
	enum interrupt_result result;
};

/*
 * Stops the `count` threads of `list` and lets them go again, each once, and sets their results. `waits` tells whether one still
 * waits in accept(2), and is asked right before; it gets `data`. No signal is sent; one that comes at that moment does its work; a
 * thread that is stopped (SIGSTOP) stays so. Takes a second at the most, whatever they do.
 *
 * A process of our own does it. A tracer can't let go of a thread that doesn't stop, but the kernel lets go of all when the tracer
 * ends, however it does. If this process is killed, that one comes to its end all the same, within two seconds, and holds no
 * descriptor of this one's: so no thread is let go halfway, with the EINTR that is taken off it only then.
 *
 * Returns 0, or -errno: nothing was done.
 */
int interrupt_accepts(struct interrupt *list, size_t count, bool (*waits)(const struct interrupt *thread, void *data), void *data);

#endif
