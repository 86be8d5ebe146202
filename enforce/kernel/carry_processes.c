/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Goes through /proc, and compares for each process what the old kernel side takes it for with what the new one would.
 */
#include "enforce/kernel/carry_processes.h"

#include <bpf/bpf.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "enforce/kernel/entries.h"
#include "enforce/kernel/processes.h"
#include "policy/cleanup.h"
#include "policy/text.h"

/* Layouts up to 10 kept the number of a file's binary with its inode, in this map. */
#define OLD_TAGS "file_tags"
struct old_tag {
	__u32 named, unnamed;
};

/* What is known of the old kernel side's processes. */
struct old_side {
	const struct kernel *kernel;
	int tags; /* the map file_tags; -1: it has none */
	struct processes processes;
};

static int open_tags(void)
{
	_cleanup_free_ char *path = text_format("%s/" OLD_TAGS, SOCKACCEPT_PIN_DIR);
	_cleanup_close_ int fd = bpf_obj_get(path);
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) || info.value_size != sizeof(struct old_tag))
		return -1;
	return TAKE_FD(fd);
}

static uint32_t number_in_new(const struct policy *policy, const uint32_t *numbers, uint32_t number)
{
	for (size_t i = 0; i < policy->binary_count && number != BINARY_ANY; i++)
		if (numbers[i] == number)
			return policy->binaries[i].number;
	return BINARY_ANY;
}

/* Returns the number of an executable in `kernel`, and sets *dentry, which can be NULL, to its address. */
static uint32_t ask(const struct kernel *kernel, int exe, uint64_t *dentry)
{
	struct identity identity = { 0 };
	uint32_t number = identify_files(kernel, &exe, &identity, 1) ? BINARY_ANY : executed_binary(kernel, exe, &identity);

	if (dentry)
		*dentry = identity.dentry;
	identity_clear(&identity);
	return number;
}

/* Sets *number to that which the process's binary has in the old side. Returns false if the old side doesn't tell. */
static bool ask_old(const struct old_side *old, uint32_t pid, int exe, uint32_t *number)
{
	struct old_tag tag = { 0 };

	if (old->tags >= 0) {
		*number = bpf_map_lookup_elem(old->tags, &exe, &tag) ? BINARY_ANY : tag.named;
		return *number != BINARY_ANY;
	}
	if (old->kernel->fd[PROGRAM_PROCESSES] < 0 || old->kernel->fd[PROGRAM_IDENTIFY] < 0 || old->kernel->fd[MAP_EXECUTABLES] < 0)
		return false;
	if (!processes_find(&old->processes, pid, number))
		*number = ask(old->kernel, exe, NULL);
	return true;
}

/* Makes a record for a process. Its file is marked first, as the kernel side looks for records only of marked files. */
static void set_record(const struct kernel *to, uint32_t pid, int exe, uint64_t dentry, uint32_t number)
{
	const struct executable many = { .many = 1 };
	const struct process process = { .dentry = dentry, .epoch = to->control->entries_epoch, .binary = number, .known = 1 };
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0 || bpf_map_update_elem(to->fd[MAP_EXECUTABLES], &exe, &many, BPF_ANY))
		return;
	if (!bpf_map_update_elem(to->fd[MAP_PROCESSES], &pidfd, &process, BPF_ANY))
		to->control->processes = 1;
}

void carry_processes(const struct kernel *from, const struct kernel *to, const struct policy *policy, const uint32_t *numbers)
{
	_cleanup_closedir_ DIR *directory = opendir("/proc");
	struct old_side old = { .kernel = from, .tags = open_tags() };
	struct dirent *entry;

	if (from->fd[PROGRAM_PROCESSES] >= 0)
		processes_read(from, &old.processes);
	while (directory && (entry = readdir(directory))) {
		_cleanup_free_ char *path = text_format("/proc/%s/exe", entry->d_name);
		_cleanup_close_ int exe = isdigit((unsigned char)entry->d_name[0]) ? open(path, O_PATH | O_CLOEXEC) : -1;
		uint64_t dentry = 0;
		uint32_t pid = (uint32_t)strtoul(entry->d_name, NULL, 10), number = BINARY_ANY, now;

		if (exe < 0 || !ask_old(&old, pid, exe, &number))
			continue;
		number = number_in_new(policy, numbers, number);
		now = ask(to, exe, &dentry);
		/* With tags, a name that a rule gives came first. */
		if (number != now && (old.tags < 0 || now == BINARY_ANY))
			set_record(to, pid, exe, dentry, number);
	}
	processes_clear(&old.processes);
	if (old.tags >= 0)
		close(old.tags);
}
