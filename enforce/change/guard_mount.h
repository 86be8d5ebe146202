/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the pins are mounted: what the guard keeps in its place. The kernel tells that to a BPF iterator alone.
 */
#ifndef SOCKACCEPT_GUARD_MOUNT_H
#define SOCKACCEPT_GUARD_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "enforce/base/status.h"

struct guard_bpf;

/* Chooses what of an opened guard is loaded: its iterator alone, or all but that. */
void guard_mount_autoload(const struct guard_bpf *guard, bool iterator);

/* Finds the mount of the pins' bpffs that process 1 has, and sets *mount to its address in the kernel. Says what is wrong. */
enum status guard_mount_find(uint64_t *mount);

#endif
