/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The drain: connections that wait on a listener which only denied binaries hold are taken out of its queue and reset, as most servers
 * spin on what they can't accept. It is done through a duplicate of the listener's descriptor, by a child process; the kernel side lets
 * that pass, and nothing else (bpf/drain.bpf.h).
 */
#ifndef SOCKACCEPT_DRAIN_H
#define SOCKACCEPT_DRAIN_H

#include <stddef.h>
#include <stdint.h>

#include "enforce/kernel/kernel.h"
#include "enforce/kernel/listeners.h"
#include "policy/image.h"

/* So many connections one drain() takes out; and so many milliseconds it takes at most. */
#define DRAIN_MAX 10000
#define DRAIN_MS 2000

/* A listener from which not all could be taken. */
struct undrained {
	uint32_t pid; /* of a process that holds it */
	int error;    /* errno; 0: there are more than DRAIN_MAX */
	char *program;
	char place[LISTENER_TEXT_MAX];
};

/* Zero-initialised is empty. */
struct drained {
	size_t connections; /* that were taken out */
	struct undrained *list;
	size_t count;
};

/*
 * Takes out what waits on each listener that no one may accept on who holds it: by the policy of `image`, which is that in force; and shuts
 * its gate (bpf/gate.bpf.h), where the policy has gates. Opens the gate of one that somebody holds who may accept. Left alone is a listener that somebody holds who listens for others, such as process
 * 1, unless the kernel has denied an accept(2) there under this policy: the one who will accept may not be there yet.
 *
 * `listeners`: as listeners_find_each() gives them. Of `kernel`, PROGRAM_DRAIN must be open. Needs CAP_SYS_PTRACE. Fills `drained`, which is
 * empty. Returns 0 or -errno: nothing could be tried.
 */
int drain(const struct kernel *kernel, const struct listeners *listeners, const struct image *image, struct drained *drained);

/* Tells the kernel side that somebody drains what is asked for within `ns` from now, which `doctor` looks for. Returns 0 or -errno. */
int drain_promise(const struct kernel *kernel, uint64_t ns);

/* Warns of the listeners from which not all could be taken. */
void drained_warn(const struct drained *drained);

/* Frees what it holds; it is empty then. */
void drained_clear(struct drained *drained);

#endif
