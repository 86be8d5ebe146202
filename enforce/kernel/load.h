/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loads the programs and maps that are built into this executable, and says why the kernel doesn't take them.
 */
#ifndef SOCKACCEPT_LOAD_H
#define SOCKACCEPT_LOAD_H

#include <stdint.h>

#include "enforce/base/status.h"

struct sockaccept_bpf;

/*
 * Opens and loads the programs and maps, with buffers of `events` events each, into *bpf, which the caller destroys, whatever is
 * returned. If that fails, prints what is wrong and the remedy.
 */
enum status load_programs(uint32_t events, struct sockaccept_bpf **bpf);

/* Prints that the kernel lacks the memory for the maps, how much they take, and the remedy. Returns STATUS_FAILED. */
enum status load_lacks_memory(const struct sockaccept_bpf *bpf);

#endif
