/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes that have a record of what they are (bpf/process.bpf.h), as the kernel side tells.
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

/* Reads them all into empty `processes`. Returns 0 or -errno; clear it in any case. */
int processes_read(const struct kernel *kernel, struct processes *processes);

/* True if `pid` is among them, and *binary is what it is then, or BINARY_ANY: nothing that a rule has named. */
bool processes_find(const struct processes *processes, uint32_t pid, uint32_t *binary);

/* Frees what it holds; it is empty then. */
void processes_clear(struct processes *processes);

/* The same of one process: *binary is left alone if it has no record, or nobody can tell. */
void process_find(const struct kernel *kernel, uint32_t pid, uint32_t *binary);

#endif
