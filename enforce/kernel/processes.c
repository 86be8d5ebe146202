/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads all records through an iterator, as task storage can't be walked in another way.
 */
#include "enforce/kernel/processes.h"

#include <stdlib.h>

#include "enforce/kernel/iterate.h"
#include "policy/cleanup.h"

static void take_process(const void *record, void *data)
{
	struct processes *processes = data;

	processes->list = must(reallocarray(processes->list, processes->count + 1, sizeof(*processes->list)));
	processes->list[processes->count++] = *(const struct process_identity *)record;
}

int processes_read(const struct kernel *kernel, struct processes *processes)
{
	return iterate(kernel->fd[PROGRAM_PROCESSES], sizeof(struct process_identity), take_process, processes);
}

bool processes_find(const struct processes *processes, uint32_t pid, uint32_t *binary)
{
	for (size_t i = 0; i < processes->count; i++)
		if (processes->list[i].pid == pid) {
			*binary = processes->list[i].binary;
			return true;
		}
	return false;
}

void processes_clear(struct processes *processes)
{
	free(processes->list);
	*processes = (struct processes){ 0 };
}

void process_find(const struct kernel *kernel, uint32_t pid, uint32_t *binary)
{
	struct processes processes = { 0 };

	if (!processes_read(kernel, &processes))
		processes_find(&processes, pid, binary);
	processes_clear(&processes);
}
