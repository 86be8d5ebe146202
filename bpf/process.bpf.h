/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process is, as rules see it: the entry by whose name it was executed.
 *
 * That is settled when it executes, and holds until it executes again. Nothing that happens to names later can change it, and nothing
 * that the kernel keeps in memory or drops. It is kept on the file's inode, which stays in memory while a process runs it. Nearly
 * always all processes of a file are the same. A process that is something else than the first one (the file has several names, or was
 * renamed) has a record of its own, which its children inherit.
 *
 * A process that was executed before the policy came, or before a rule named its file, is judged by the name that the file has now.
 */
#ifndef SOCKACCEPT_PROCESS_BPF_H
#define SOCKACCEPT_PROCESS_BPF_H

#include "identity.bpf.h"

#include <bpf/bpf_helpers.h>

/*
 * True if `executable` says all about a process that executes `dentry` now, by which it is `entry`: it is the first process of the
 * file, or the same as the first.
 */
static __always_inline bool is_as_the_first(struct executable *executable, struct dentry *dentry, __u32 entry, __u64 epoch)
{
	__u64 first = *(volatile __u64 *)&executable->dentry, binary;

	if (!first) {
		if (__sync_val_compare_and_swap(&executable->claimed, 0, 1))
			return false;
		executable->epoch = epoch;
		executable->binary = entry;
		/* A full barrier: whoever sees the dentry sees the rest. */
		__sync_lock_test_and_set(&executable->dentry, (__u64)dentry);
		return true;
	}
	if (first != (__u64)dentry)
		return false;
	binary = *(volatile __u64 *)&executable->binary;
	if (binary == entry) {
		if (!binary && *(volatile __u64 *)&executable->epoch < epoch)
			*(volatile __u64 *)&executable->epoch = epoch;
		return true;
	}
	/* A rule has named it since. The earlier processes are that entry too, by the name that they still have. */
	return !binary && entry >= *(volatile __u64 *)&executable->epoch && !__sync_val_compare_and_swap(&executable->binary, 0, entry);
}

/* Gives `task` a record of its own. */
static __always_inline void set_process(struct task_struct *task, struct control *control, __u64 dentry, __u32 binary, __u64 epoch)
{
	struct process *process = bpf_task_storage_get(&processes, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!process)
		return; /* no memory for 24 bytes: it is taken for what the first one is */
	process->dentry = dentry;
	process->binary = binary;
	process->epoch = epoch;
	process->known = 1;
	if (!control->processes)
		*(volatile __u64 *)&control->processes = 1;
}

/* Settles what `task` is from now on. It is the only thread of its process. */
static __always_inline void settle_process(struct task_struct *task, struct file *exe, struct control *control)
{
	__u64 epoch = *(volatile __u64 *)&control->entries_epoch;
	struct dentry *dentry = exe->f_path.dentry;
	struct inode *inode = exe->f_inode;
	struct executable *executable;
	__u32 entry;

	if (!inode || !dentry)
		return;
	executable = executable_of_inode(inode);
	entry = entry_of(executable, dentry, control, epoch);
	if (executable && is_as_the_first(executable, dentry, entry, epoch)) {
		if (control->processes)
			bpf_task_storage_delete(&processes, task);
		return;
	}
	if (executable)
		*(volatile __u32 *)&executable->many = 1;
	set_process(task, control, (__u64)dentry, entry, epoch);
}

/* Makes the child `task` what its parent is, whose first thread is `leader`. */
static __always_inline void inherit_process(struct task_struct *task, struct task_struct *leader, struct control *control)
{
	struct process *process = bpf_task_storage_get(&processes, leader, 0, 0);

	if (process && process->known)
		set_process(task, control, process->dentry, process->binary, process->epoch);
}

/*
 * Returns the number of a process that no rule had named when it was executed. If a rule has come since and gives the name that the
 * file has now, that rule's binary; else the file's number as unnamed.
 */
static __always_inline __u32 number_since(struct executable *executable, struct dentry *dentry, struct control *control, __u64 since)
{
	__u64 epoch = *(volatile __u64 *)&control->entries_epoch;
	__u32 entry = 0;

	if (epoch != since)
		entry = entry_of(executable, dentry, control, epoch);
	return entry && entry >= since ? entry : unnamed_number(executable, control);
}

/*
 * True if an exec that was seen has settled what a process is whose executable is `dentry`. Then *binary is its entry; or 0, if no rule
 * named it when control.entries_epoch was *since. `task`: one of its threads.
 */
static __always_inline bool is_settled(const struct executable *executable, struct dentry *dentry, struct task_struct *task, __u32 *binary,
				       __u64 *since)
{
	struct process *process;

	if (*(volatile __u32 *)&executable->many) {
		process = bpf_task_storage_get(&processes, task->group_leader, 0, 0);
		/* A record of an earlier program is ignored: its removal was refused, as the storage was in use just then. */
		if (process && process->known && process->dentry == (__u64)dentry) {
			*binary = process->binary;
			*since = process->epoch;
			return true;
		}
	}
	if (*(volatile __u64 *)&executable->dentry != (__u64)dentry)
		return false;
	*binary = *(volatile __u64 *)&executable->binary;
	if (!*binary)
		*since = *(volatile __u64 *)&executable->epoch;
	return true;
}

/* Returns the number of the process whose executable is `exe`. `task`: one of its threads. */
static __always_inline __u32 number_of(struct task_struct *task, struct file *exe, struct control *control)
{
	struct inode *inode = exe->f_inode;
	struct dentry *dentry = exe->f_path.dentry;
	struct executable *executable;
	__u32 binary = 0;
	__u64 since = 0;

	if (!inode || !dentry)
		return BINARY_ANY;
	executable = bpf_inode_storage_get(&executables, inode, 0, 0);
	if (executable) {
		if (is_settled(executable, dentry, task, &binary, &since) && binary)
			return binary;
	} else {
		executable = executable_of_inode(inode);
	}
	return number_since(executable, dentry, control, since);
}

#endif
