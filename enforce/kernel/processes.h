/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads from the kernel side which processes have a record of what they are (bpf/process.bpf.h).
 */
#ifndef SOCKACCEPT_PROCESSES_H
#define SOCKACCEPT_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enforce/kernel/kernel.h"

/* Zero-initialised is empty. */
struct processes {
	struct process_identity *list;
	size_t count;
};

/* Reads all of them into `processes`, which must be empty. Returns 0 or -errno; call processes_clear() in any case. */
int processes_read(const struct kernel *kernel, struct processes *processes);

/* Returns true if `pid` is among them, and sets *binary to its binary: BINARY_ANY if no rule has named that. */
bool processes_find(const struct processes *processes, uint32_t pid, uint32_t *binary);

/* Frees what `processes` holds, and leaves it empty. */
void processes_clear(struct processes *processes);

/* Sets *binary to the binary of one process. Leaves it alone if the process has no record, or the kernel side can't be asked. */
void process_find(const struct kernel *kernel, uint32_t pid, uint32_t *binary);

#endif
