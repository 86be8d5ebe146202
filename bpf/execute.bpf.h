/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settles what a process is, when it executes and when it forks (process.bpf.h).
 *
 *   lsm/bprm_committed_creds   process_exec: settles what a process is, by the name by which it executes its file. Decides
 *                              nothing.
 *   lsm/task_alloc             process_fork: makes a child what its parent is. Must never make fork(2) fail, also not for want of
 *                              memory.
 */
#ifndef SOCKACCEPT_EXECUTE_BPF_H
#define SOCKACCEPT_EXECUTE_BPF_H

#include "pass_on.bpf.h"
#include "process.bpf.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

SEC("lsm/bprm_committed_creds")
int BPF_PROG(process_exec, struct linux_binprm *bprm)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct file *exe = executable_of(task);
	struct control *there;
	__u32 zero = 0;

	there = bpf_map_lookup_elem(&control, &zero);
	if (there && exe)
		settle_process(task, exe, there);
	return 0;
}

SEC("lsm/task_alloc")
int BPF_PROG(process_fork, struct task_struct *task, unsigned long clone_flags, int ret)
{
	struct task_struct *leader;
	struct control *there;
	__u32 zero = 0;

	if (ret)
		return pass_on(ret);
	if (clone_flags & CLONE_THREAD)
		return 0;
	there = bpf_map_lookup_elem(&control, &zero);
	if (!there || !*(volatile __u64 *)&there->processes)
		return 0;
	leader = bpf_get_current_task_btf()->group_leader;
	if (leader)
		inherit_process(task, leader, there);
	return 0;
}

#endif
