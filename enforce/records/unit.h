/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the names of system units.
 */
#ifndef SOCKACCEPT_UNIT_H
#define SOCKACCEPT_UNIT_H

#include "enforce/kernel/kernel.h"

/*
 * Writes the name of the system unit whose cgroup has this id (event.unit; 0: none) into `name`, of sizeof(struct unit) bytes, and returns
 * it. Returns NULL if there is none, or if the kernel side has forgotten it after thousands of others.
 */
const char *unit_name(const struct kernel *kernel, uint64_t cgroup, char *name);

#endif
