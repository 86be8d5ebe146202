/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mounts through which the pins are reached: that of their bpffs, the one that this is mounted in, and so on up to the root of the
 * mount namespace. To unmount any of them would take the pins away; so would unmounting a mount that makes the kernel unmount the bpffs
 * too. What is above is looked up each time, because a mount can be put in between.
 *
 *   iter/task_file   list_mounts: writes a struct mount_identity for each open file of the process that it is attached to. Guards
 *                    nothing
 *
 * The kernel's mounts are read without its locks: as numbers, by reads that may fail.
 */
#ifndef SOCKACCEPT_GUARD_MOUNTS_BPF_H
#define SOCKACCEPT_GUARD_MOUNTS_BPF_H

#include "kernel_types.h"
#include "shared/compiler.h"
#include "shared/guard.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* The mount of the pins' bpffs. Set before the programs are loaded. It stays, because the guard lets nobody unmount it. */
const volatile __u64 pin_mount;

/* Later there can be more mounts above the pins than `lock` accepts. Above this many, everything is refused. */
#define MOUNTS_LOOKED_AT (2 * PIN_MOUNTS_MAX)
#define MASTERS_MAX 16

#define MOUNT_FIELD(address, ...) BPF_CORE_READ((struct mount *)(address), __VA_ARGS__)

/* Returns the address of the mount that `mnt` is part of. */
static __always_inline __u64 mount_of(struct vfsmount *mnt)
{
	return (__u64)mnt - bpf_core_field_offset(struct mount, mnt);
}

/* Returns the root mount of the calling task. */
static __always_inline __u64 mount_of_root(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return mount_of(BPF_CORE_READ(task, fs, root.mnt));
}

/* True if the calling task is in the mount namespace that the pins are in. */
static __always_inline bool is_in_namespace_of_pins(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return BPF_CORE_READ(task, nsproxy, mnt_ns) == MOUNT_FIELD(pin_mount, mnt_ns);
}

/* Returns the mount that `mount` is mounted in; 0: it is the root of all. */
static __always_inline __u64 mount_above(__u64 mount)
{
	__u64 above = (__u64)MOUNT_FIELD(mount, mnt_parent);

	return above == mount ? 0 : above;
}

/* True if the pins are reached through `mount`. */
static __attribute__((noinline)) bool holds_pins(__u64 mount)
{
	__u64 at = pin_mount;

	for (int i = 0; i < MOUNTS_LOOKED_AT; i++) {
		if (at == mount)
			return true;
		at = mount_above(at);
		if (!at)
			return false;
	}
	return true;
}

/* True if one of those mounts is mounted on `dentry`. */
static __attribute__((noinline)) bool is_mountpoint_of_pins(__u64 dentry)
{
	__u64 at = pin_mount;

	for (int i = 0; i < MOUNTS_LOOKED_AT; i++) {
		if ((__u64)MOUNT_FIELD(at, mnt_mountpoint) == dentry)
			return true;
		at = mount_above(at);
		if (!at)
			return false;
	}
	return true;
}

/*
 * True if the kernel unmounts in the mount that the bpffs is mounted in whatever it unmounts in `mount`: they are peers, or the former
 * is a slave.
 */
static __attribute__((noinline)) bool spreads_to_pins(__u64 mount)
{
	int group = MOUNT_FIELD(mount, mnt_group_id);
	__u64 at = (__u64)MOUNT_FIELD(pin_mount, mnt_parent);

	if (!group)
		return false;
	for (int i = 0; i < MASTERS_MAX; i++) {
		if (MOUNT_FIELD(at, mnt_group_id) == group)
			return true;
		at = (__u64)MOUNT_FIELD(at, mnt_master);
		if (!at)
			return false;
	}
	return true;
}

/*
 * True if the kernel unmounts the bpffs along with `mount`. The mounts above the bpffs need no such question: none is unmounted along
 * with another while it has a child that isn't (Linux, fs/pnode.c: propagate_umount()).
 */
static __always_inline bool takes_pins_along(__u64 mount)
{
	return MOUNT_FIELD(mount, mnt_mountpoint) == MOUNT_FIELD(pin_mount, mnt_mountpoint) &&
	       spreads_to_pins((__u64)MOUNT_FIELD(mount, mnt_parent));
}

enum walk_end {
	WALK_GOES_ON,
	WALK_DONE,
	WALK_TAKES_PINS,
	WALK_LOST, /* somebody mounts or unmounts there */
};

/* A walk through a mount and all that is mounted in it. */
struct walk {
	__u64 root;
	__u64 at;
	__u32 up; /* 1: all that is mounted in `at` has been seen */
	__u32 end;
};
#define WALK_STEPS (1 << 18) /* two for each mount, of which a namespace has at most 100,000 (sysctl fs.mount-max) */
#define WALK_TRIES 3

static __always_inline long end_walk(struct walk *walk, enum walk_end end)
{
	walk->end = end;
	return 1;
}

/* Takes one step of a walk. Returns 1 at its end. */
static long take_step(__u32 i, struct walk *walk)
{
	__u64 at = walk->at, children = at + bpf_core_field_offset(struct mount, mnt_mounts);
	__u64 siblings = at + bpf_core_field_offset(struct mount, mnt_child);
	__u64 above, next;

	if (!walk->up) {
		if (takes_pins_along(at))
			return end_walk(walk, WALK_TAKES_PINS);
		next = (__u64)MOUNT_FIELD(at, mnt_mounts.next);
		if (!next)
			return end_walk(walk, WALK_LOST);
		if (next != children) {
			walk->at = next - bpf_core_field_offset(struct mount, mnt_child);
			return 0;
		}
	}
	if (at == walk->root)
		return end_walk(walk, WALK_DONE);
	above = mount_above(at);
	next = (__u64)MOUNT_FIELD(at, mnt_child.next);
	if (!above || !next || next == siblings)
		return end_walk(walk, WALK_LOST);
	walk->up = next == above + bpf_core_field_offset(struct mount, mnt_mounts);
	walk->at = walk->up ? above : next - bpf_core_field_offset(struct mount, mnt_child);
	return 0;
}

/* True if the kernel unmounts the bpffs along with `mount` or with something that is mounted in it; also if that can't be found out. */
static __attribute__((noinline)) bool reaches_pins(__u64 mount)
{
	for (int i = 0; i < WALK_TRIES; i++) {
		struct walk walk = { .root = mount, .at = mount };

		bpf_loop(WALK_STEPS, take_step, &walk, 0);
		if (walk.end == WALK_DONE)
			return false;
		if (walk.end == WALK_TAKES_PINS)
			return true;
	}
	return true;
}

/* ---------------------------------------------------------------------------------------------
 * For `lock`
 */

SEC("iter/task_file")
int list_mounts(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct mount_identity identity = {};
	struct task_struct *init;
	__u64 at;

	if (!task || !file)
		return 0;
	init = BPF_CORE_READ(task, thread_pid, numbers[0].ns, child_reaper);
	at = mount_of(file->f_path.mnt);
	identity.fd = ctx->fd;
	identity.address = at;
	if (MOUNT_FIELD(at, mnt_ns) == BPF_CORE_READ(init, nsproxy, mnt_ns))
		identity.flags = MOUNT_IS_MACHINES;
	for (int i = 0; i <= PIN_MOUNTS_MAX; i++) {
		at = mount_above(at);
		if (!at) {
			identity.flags |= MOUNT_HAS_ROOT;
			break;
		}
	}
	bpf_seq_write(ctx->meta->seq, &identity, sizeof(identity));
	return 0;
}

#endif
