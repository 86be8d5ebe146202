/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/processes.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "policy/cleanup.h"

static void add(struct processes *processes, const struct process_identity *record)
{
	processes->list = must(reallocarray(processes->list, processes->count + 1, sizeof(*processes->list)));
	processes->list[processes->count++] = *record;
}

int processes_read(const struct kernel *kernel, struct processes *processes)
{
	_cleanup_close_ int link = bpf_link_create(kernel->fd[PROGRAM_PROCESSES], 0, BPF_TRACE_ITER, NULL);
	_cleanup_close_ int iterator = link < 0 ? -1 : bpf_iter_create(link);
	struct process_identity records[128];
	ssize_t length;

	if (iterator < 0)
		return -errno;
	while ((length = read(iterator, records, sizeof(records))) != 0) {
		if (length < 0 && errno == EAGAIN) /* it has looked at a million threads without a record */
			continue;
		if (length < 0)
			return -errno;
		for (size_t i = 0; i < (size_t)length / sizeof(records[0]); i++)
			add(processes, &records[i]);
	}
	return 0;
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
