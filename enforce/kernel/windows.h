/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Closes windows, in which the kernel side counts repeats of denials (bpf/fold.bpf.h), so that a reader sees their events.
 */
#ifndef SOCKACCEPT_WINDOWS_H
#define SOCKACCEPT_WINDOWS_H

#include <stdint.h>

#include "enforce/kernel/kernel.h"

/* The `age` for a command that reads once: 1 s, in ns. */
#define WINDOWS_CURRENT 1000000000ULL

/*
 * Closes windows that are over, and those that are at least `age` ns old unless that is 0, which makes their events. Also makes the events
 * of connections whose accept(2) ended unseen. Returns 0 or -errno; 0 also if the kernel side can't be asked, as when it isn't open.
 */
int windows_close(const struct kernel *kernel, uint64_t age);

#endif
