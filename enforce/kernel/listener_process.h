/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds out about the processes that have listeners open: executable, binary, unit and cgroup.
 */
#ifndef SOCKACCEPT_LISTENER_PROCESS_H
#define SOCKACCEPT_LISTENER_PROCESS_H

#include <stddef.h>

#include "enforce/kernel/kernel.h"
#include "enforce/kernel/listener.h"

/*
 * Fills in what is known of the process of each of `count` listeners, which must be sorted by process. A listener whose process has
 * ended is marked as `gone`. Returns 0 or -errno.
 */
int listener_processes(const struct kernel *kernel, struct listener *listeners, size_t count);

#endif
