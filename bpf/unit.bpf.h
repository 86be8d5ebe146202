/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which system unit a task belongs to: the name of the outermost cgroup that is no slice, as systemd names them (systemd,
 * src/basic/cgroup-util.c: cg_path_get_unit). Users can make cgroups only below that of a unit.
 */
#ifndef SOCKACCEPT_UNIT_BPF_H
#define SOCKACCEPT_UNIT_BPF_H

#include "call.bpf.h"

#include <bpf/bpf_core_read.h>

#define MAX_SLICES 16

/* True for the name of a slice, which ends in ".slice". `length` counts the zero at its end. */
static __always_inline bool is_slice(const char *name, long length)
{
	const char suffix[sizeof(__u64)] = ".slice";
	__u64 seen = 0;

	if (length < (long)sizeof(".slice") || length > 256)
		return false;
	/* Compared as one word: the verifier follows this once for each level. */
	bpf_probe_read_kernel(&seen, sizeof(".slice"), &name[(length - sizeof(".slice")) & 255]);
	return seen == *(const __u64 *)suffix;
}

/* Returns the id of the unit's cgroup, and puts its name into `units`. 0: no unit. */
static __attribute__((noinline)) __u64 find_unit(struct task_struct *task, struct unit *unit)
{
	struct cgroup *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp), *ancestor;
	__u64 at = (__u64)cgroup + bpf_core_field_offset(struct cgroup, ancestors);
	int deepest = BPF_CORE_READ(cgroup, level);
	long length;
	__u64 id;

	for (int level = 1; level < MAX_SLICES; level++) {
		if (level > deepest)
			return 0;
		bpf_probe_read_kernel(&ancestor, sizeof(ancestor), (void *)(at + level * sizeof(ancestor)));
		length = bpf_probe_read_kernel_str(unit->name, sizeof(unit->name), BPF_CORE_READ(ancestor, kn, name));
		if (length <= 1)
			return 0;
		if (!is_slice(unit->name, length)) {
			id = BPF_CORE_READ(ancestor, kn, id);
			bpf_map_update_elem(&units, &id, unit, BPF_ANY);
			return id;
		}
	}
	return 0;
}

#endif
