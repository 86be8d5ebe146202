/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The drain: connections that wait on a listener which only denied binaries hold are taken out of its queue and reset, as most servers
 * spin on what they can't accept. A child process does it through a duplicate of the listener's descriptor; the kernel side lets that pass,
 * and nothing else (bpf/drain.bpf.h).
 */
#ifndef SOCKACCEPT_DRAIN_H
#define SOCKACCEPT_DRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enforce/change/leftovers.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/listeners.h"
#include "policy/image.h"

/* One drain() takes out at most this many connections, for at most this many milliseconds. */
#define DRAIN_MAX 10000
#define DRAIN_MS 2000

/* Zero-initialised is empty. */
struct drained {
	size_t connections;    /* that were taken out */
	struct leftovers left; /* listeners from which not all could be taken */
};

/*
 * Takes out what waits on each listener whose holders may none of them accept on it, and shuts its gate (bpf/gate.bpf.h) where the policy
 * has gates. Opens the gate of a listener that a process holds which may accept. Decides by the policy of `image`, which is that in force.
 * Leaves a listener alone that a process holds which listens for others, such as process 1, unless the kernel has denied an accept(2) there
 * under this policy: the process that will accept may not be there yet.
 *
 * `listeners` is as listeners_find_each() gives it. PROGRAM_DRAIN of `kernel` must be open. Needs CAP_SYS_PTRACE. Fills `drained`, which is
 * empty. Returns 0, or -errno if nothing could be tried.
 */
int drain(const struct kernel *kernel, const struct listeners *listeners, const struct image *image, struct drained *drained);

/* Returns true if more waits than drain() had time for, so that it should be called again. */
bool drained_more_waits(const struct drained *drained);

/*
 * Tells the kernel side that this process drains what is asked for within `ns` nanoseconds from now; `doctor` looks for that. Returns 0 or
 * -errno.
 */
int drain_promise(const struct kernel *kernel, uint64_t ns);

/* Warns of the listeners from which not all could be taken. */
void drained_warn(const struct drained *drained);

#endif
