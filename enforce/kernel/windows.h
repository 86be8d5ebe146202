/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Windows in which repeats of denials are counted (bpf/fold.bpf.h), and which a reader ends.
 */
#ifndef SOCKACCEPT_WINDOWS_H
#define SOCKACCEPT_WINDOWS_H

#include <stdint.h>

#include "enforce/kernel/kernel.h"

#define WINDOWS_CURRENT 1000000000ULL /* the age of those that a command ends which reads once: ns */

/*
 * Makes the events of windows that are over, or at least `age` ns old (0: only of those that are over), and of connections whose
 * accept(2) ended unseen. Returns 0 or -errno; 0 also if the kernel side can't be asked, as when it isn't open.
 */
int windows_close(const struct kernel *kernel, uint64_t age);

#endif
