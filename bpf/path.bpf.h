/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The path of an unnamed binary, for the events about it. Decisions never depend on it.
 */
#ifndef SOCKACCEPT_PATH_BPF_H
#define SOCKACCEPT_PATH_BPF_H

#include "identity.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

static __always_inline struct mnt_namespace *namespace_of(struct vfsmount *mnt)
{
	struct mount *mount = (void *)mnt - bpf_core_field_offset(struct mount, mnt);

	return BPF_CORE_READ(mount, mnt_ns);
}

/*
 * True if bpf_d_path() for `exe` gives its path from the machine's own root: the task has the root of process 1, the file was opened
 * through a mount of the same mount namespace (anybody can mount over /usr/sbin in a namespace of their own), and its name still
 * exists.
 */
static __always_inline bool path_is_the_machines(struct task_struct *task, struct file *exe)
{
	struct task_struct *init = task->thread_pid->numbers[0].ns->child_reaper;
	struct vfsmount *root = init->fs->root.mnt;

	if (task->fs->root.mnt != root || task->fs->root.dentry != init->fs->root.dentry)
		return false;
	if (!exe->f_path.dentry->d_hash.pprev)
		return false;
	return exe->f_path.mnt == root || namespace_of(exe->f_path.mnt) == namespace_of(root);
}

/*
 * Puts the path of the unnamed binary `number` into `path`. Both `path` and `scratch` belong to the caller alone. Returns 0, or
 * EVENT_PATH_HINT if it is only what the process would see.
 */
static __always_inline __u8 path_of(struct task_struct *task, struct file *exe, __u32 number, struct seen_path *path,
				    struct kept_path *scratch)
{
	__u64 name = name_stamp(exe->f_path.dentry);
	bool machines = path_is_the_machines(task, exe);
	struct kept_path *kept;
	long length;

	if (machines) {
		kept = bpf_map_lookup_elem(&seen_paths, &number);
		if (kept && kept->name == name) {
			*path = kept->path;
			return 0;
		}
	}
	length = bpf_d_path(&exe->f_path, path->path, sizeof(path->path));
	path->length = length > 1 ? length - 1 : 0;
	if (!machines)
		return EVENT_PATH_HINT;
	scratch->name = name;
	scratch->path = *path;
	bpf_map_update_elem(&seen_paths, &number, scratch, BPF_ANY);
	return 0;
}

#endif
