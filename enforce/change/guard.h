/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets the guard of a locked policy (bpf/guard.bpf.c), which stays from `lock` until the machine stops.
 */
#ifndef SOCKACCEPT_GUARD_H
#define SOCKACCEPT_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "enforce/kernel/kernel.h"

/*
 * Attaches and pins the guard and `copy`, a descriptor of a copy of the image in force, and freezes the maps of `kernel`, which is open and
 * not mapped for writing. Refuses while somebody else holds one of our objects. Needs the change lock, and CAP_SYS_ADMIN. Prints what is
 * wrong: nothing is guarded then, but maps may be frozen already.
 */
enum status guard_set(const struct kernel *kernel, int copy);

#endif
