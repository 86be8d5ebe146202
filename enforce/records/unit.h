/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names of system units.
 */
#ifndef SOCKACCEPT_UNIT_H
#define SOCKACCEPT_UNIT_H

#include "enforce/kernel/kernel.h"

/*
 * The system unit whose cgroup has this id (event.unit; 0: none). Puts its name into `name`, of sizeof(struct unit) bytes, and
 * returns it; NULL: there is none, or it was forgotten after thousands of others.
 */
const char *unit_name(const struct kernel *kernel, uint64_t cgroup, char *name);

#endif
