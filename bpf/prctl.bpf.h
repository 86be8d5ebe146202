/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeps a process from forging what its executable is.
 *
 *   lsm/task_prctl   task_prctl: refuses prctl(PR_SET_MM, PR_SET_MM_MAP or PR_SET_MM_EXE_FILE) in a user namespace. Every other
 *                    prctl(2) must pass unchanged, so it returns 0.
 */
#ifndef SOCKACCEPT_PRCTL_BPF_H
#define SOCKACCEPT_PRCTL_BPF_H

#include "offence.bpf.h"
#include "refuse.bpf.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* Refuses it whatever the new executable would be: the arguments can be changed while they are looked at. */
SEC("lsm/task_prctl")
int BPF_PROG(task_prctl, int option, unsigned long arg2, unsigned long arg3, unsigned long arg4, unsigned long arg5, int ret)
{
	struct caller caller = { 0 };
	struct state *counters;
	int what = (int)arg2; /* as prctl_set_mm() takes it: the upper half is ignored */
	__u32 zero = 0;

	if (option != PR_SET_MM || (what != PR_SET_MM_MAP && what != PR_SET_MM_EXE_FILE))
		return 0; /* the kernel goes on as if this program weren't there */
	if (bpf_get_current_task_btf()->cred->user_ns->level == 0)
		return 0; /* checkpoint and restore by an administrator of the machine */
	counters = bpf_map_lookup_elem(&state, &zero);
	if (!counters || !read_caller(arg3, &caller))
		return 0;
	__sync_fetch_and_add(&counters->forgeries, 1);
	record_offence(counters, &caller, REASON_PRCTL | (what == PR_SET_MM_MAP ? OPERATION_SET_MM_MAP : OPERATION_SET_MM_EXE_FILE) << 8,
		       NULL);
	if (caller.policy->mode != MODE_ENFORCE)
		return 0;
	return refuse(EPERM);
}

#endif
