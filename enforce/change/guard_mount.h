/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds where the pins are mounted, which the guard keeps in place. Only a BPF iterator can read that.
 */
#ifndef SOCKACCEPT_GUARD_MOUNT_H
#define SOCKACCEPT_GUARD_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "enforce/base/status.h"

struct guard_bpf;

/* Chooses what of an opened guard will be loaded: only its iterator, or all but that. */
void guard_mount_autoload(const struct guard_bpf *guard, bool iterator);

/* Finds the mount of the pins' bpffs in process 1's mount namespace, and sets *mount to its address in the kernel. Prints what is wrong. */
enum status guard_mount_find(uint64_t *mount);

#endif
