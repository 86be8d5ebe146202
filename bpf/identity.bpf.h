/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which binary is calling: from the caller's executable to the number that rules are found by.
 *
 * A rule stands for a directory entry. The first time that an executable's inode is seen under a name,
 * the name is looked up among the entries of the policy, and the answer is kept on the inode object
 * itself: no number that could be used again decides, and a binary that is replaced (rename over,
 * unlink and create) is found again by its name with no help from user space.
 */
#ifndef SOCKACCEPT_IDENTITY_BPF_H
#define SOCKACCEPT_IDENTITY_BPF_H

#include "maps.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* The only place where a directory's identity is computed, for the hook and for user space alike. */
static __always_inline void directory_of(struct inode *inode, struct directory *directory)
{
	directory->inode = inode->i_ino;
	directory->device = inode->i_sb->s_dev;
	directory->generation = inode->i_generation;
}

/* Whoever mounted the file system can make up any name on it, so no rule may trust its names. */
static __always_inline bool names_can_be_forged(struct inode *inode)
{
	return inode->i_sb->s_user_ns->level != 0 || inode->i_sb->s_magic == FUSE_SUPER_MAGIC;
}

static __always_inline bool same_name(const struct binary_tag *a, const struct binary_tag *b)
{
	return a->dentry == b->dentry && a->parent_inode == b->parent_inode && a->name_hash == b->name_hash;
}

/*
 * Looks the name in `tag` up among the entries and keeps the answer on the inode. Not inlined: the key
 * takes half of a program's stack.
 *
 * The epoch in `tag` was read before the entries are: an entry added meanwhile makes the answer stale at
 * once, and it is looked up again.
 */
static __attribute__((noinline)) __u32 look_up_name(struct inode *inode, struct dentry *dentry, struct state *state,
						    struct binary_tag *tag)
{
	struct entry_key key = {};
	struct binary_tag *known;
	__u32 *number = 0;

	if (!names_can_be_forged(inode)) {
		directory_of(dentry->d_parent->d_inode, &key.directory);
		bpf_probe_read_kernel_str(key.name, sizeof(key.name), dentry->d_name.name);
		number = bpf_map_lookup_elem(&entries, &key);
	}

	/* A tag is never changed in place: others may be reading it. */
	known = bpf_inode_storage_get(&binary_tags, inode, 0, 0);
	if (number)
		tag->binary = *number;
	else if (known && same_name(known, tag))
		tag->binary = known->binary;
	else
		tag->binary = BINARY_UNNAMED | (__u32)__sync_fetch_and_add(&state->next_unnamed, 1);
	if (known)
		bpf_inode_storage_delete(&binary_tags, inode);
	bpf_inode_storage_get(&binary_tags, inode, tag, BPF_LOCAL_STORAGE_GET_F_CREATE);
	return tag->binary;
}

/* The executable of `task`; NULL: a kernel thread. */
static __always_inline struct file *executable_of(struct task_struct *task)
{
	struct mm_struct *mm = task->mm;

	return mm ? mm->exe_file : 0;
}

/* The number of the executable `exe`. */
static __always_inline __u32 binary_of(struct file *exe, struct state *state)
{
	struct inode *inode = exe->f_inode;
	struct binary_tag *known, tag = {};
	struct dentry *dentry;

	if (!inode)
		return BINARY_ANY;
	known = bpf_inode_storage_get(&binary_tags, inode, 0, 0);
	if (known && !(known->binary & BINARY_UNNAMED))
		return known->binary;

	dentry = exe->f_path.dentry;
	if (!dentry)
		return BINARY_ANY;
	tag.dentry = (__u64)dentry;
	tag.parent_inode = dentry->d_parent->d_inode->i_ino;
	tag.name_hash = (__u64)dentry->d_name.len << 32 | dentry->d_name.hash;
	tag.epoch = *(volatile __u64 *)&state->entries_epoch;
	if (known && known->epoch == tag.epoch && same_name(known, &tag))
		return known->binary;
	return look_up_name(inode, dentry, state, &tag);
}

static __always_inline struct mnt_namespace *namespace_of(struct vfsmount *mnt)
{
	struct mount *mount = (void *)mnt - bpf_core_field_offset(struct mount, mnt);

	return BPF_CORE_READ(mount, mnt_ns);
}

/*
 * True if bpf_d_path() for `exe` gives its path from the machine's own root: the task's root is that of
 * process 1, the file was opened through a mount of the same mount namespace (anybody can mount over
 * /usr/sbin in a namespace of their own), and its name still exists.
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
 * Puts the path of the unnamed binary `number` into `path`, which is the caller's alone. Returns 0, or
 * EVENT_PATH_HINT if that is only what the process would see.
 */
static __always_inline __u8 path_of(struct task_struct *task, struct file *exe, __u32 number, struct seen_path *path)
{
	bool machines = path_is_the_machines(task, exe);
	struct seen_path *seen;
	long length;

	if (machines) {
		seen = bpf_map_lookup_elem(&seen_paths, &number);
		if (seen) {
			*path = *seen;
			return 0;
		}
	}
	length = bpf_d_path(&exe->f_path, path->path, sizeof(path->path));
	path->length = length > 1 ? length - 1 : 0;
	if (!machines)
		return EVENT_PATH_HINT;
	bpf_map_update_elem(&seen_paths, &number, path, BPF_NOEXIST);
	return 0;
}

#endif
