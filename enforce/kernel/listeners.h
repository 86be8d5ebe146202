/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the listening sockets of the machine, in all network namespaces, and the processes that may accept on them.
 */
#ifndef SOCKACCEPT_LISTENERS_H
#define SOCKACCEPT_LISTENERS_H

#include <stddef.h>

#include "enforce/kernel/kernel.h"
#include "enforce/kernel/listener.h"

/* Zero-initialised is empty. */
struct listeners {
	struct listener *list; /* sorted by port, family, protocol, address */
	size_t count;
};

/*
 * Makes the kernel side note what each socket listens on, for those that began to listen before it was attached. Returns 0 or -errno.
 */
int listeners_note(const struct kernel *kernel);

/*
 * Fills `listeners`, which must be empty. Binaries have the numbers that `kernel` has for them at this moment, so call this after
 * the rules have given theirs. Without CAP_SYS_PTRACE the binaries of other users' processes aren't known. Returns 0 or -errno; call
 * listeners_clear() in any case.
 */
int listeners_find(const struct kernel *kernel, struct listeners *listeners);

/*
 * Fills `listeners` as listeners_find() does, but with an entry for each process and descriptor, sorted by process: for callers that
 * look at what a process does.
 */
int listeners_find_each(const struct kernel *kernel, struct listeners *listeners);

/* Frees what `listeners` holds, and leaves it empty. */
void listeners_clear(struct listeners *listeners);
#define _cleanup_listeners_ __attribute__((cleanup(listeners_clear)))

#endif
