/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the drain that a child process does: accept(2) on duplicates of other processes' listeners. It is a child, as the kernel side
 * lets one task pass for a while, and as accept(2) can wait: the parent kills it when its time is up.
 */
#ifndef SOCKACCEPT_DRAIN_CHILD_H
#define SOCKACCEPT_DRAIN_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "enforce/kernel/kernel.h"
#include "enforce/kernel/listeners.h"

/* A listener that is to be drained, or whose gate is to be opened; in memory that parent and child share. */
struct source {
	const struct listener *holder; /* one of those who hold it */
	bool opens;                    /* its gate is to be opened, and nothing is taken out */
	size_t taken;                  /* connections */
	int error;                     /* errno; 0: its queue is empty. At first EAGAIN: its turn didn't come */
};

/* Runs PROGRAM_DRAIN of `kernel` with `draining`, which gets its answer. Returns 0 or -errno. */
int drain_run_program(const struct kernel *kernel, struct draining *draining);

/*
 * Opens the gates and drains the listeners of `sources`, at most `most` connections in all, and sets `taken` and `error` of each. Has
 * SIGALRM interrupt this process from here on: for a child only.
 */
void drain_sources(const struct kernel *kernel, struct source *sources, size_t count, size_t most);

#endif
