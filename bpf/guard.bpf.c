/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard, attached by `lock` and until the machine stops: refuses the ordinary means by which root could change what is
 * decided. Each of its programs lets pass what isn't ours, and counts what it refuses.
 *
 *   lsm/bpf_map       a descriptor of one of our maps: for writing, or at all of those that decisions depend on
 *   lsm/bpf_prog      a descriptor of one of our programs, but for those that readers need
 *   lsm/bpf           loading a program that could have one of these hooks, or one that decisions depend on, passed over
 *   lsm/inode_unlink, lsm/inode_rename, lsm/inode_rmdir   the pins, the directories that they are in, and the directories
 *                     that the pins' mounts are mounted on (bpf/guard_mounts.bpf.h)
 *   lsm/sb_umount, lsm/sb_mount, lsm/move_mount, lsm/sb_pivotroot   what takes those mounts away or elsewhere
 *   cgroup/sysctl     kernel.ftrace_enabled, which turns LSM programs off on 6.1 and 6.12 (DESIGN, section 10)
 *   iter/task_file    list_mounts (bpf/guard_mounts.bpf.h): tells `lock` where the pins are mounted. Guards nothing.
 */
#include "guard_mounts.bpf.h"
#include "kernel_types.h"
#include "pass_on.bpf.h"
#include "shared/guard.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

/* The bpffs with the pins, and the inodes of their directories on it; set before the programs are loaded. */
const volatile __u32 pin_device;
const volatile __u64 pin_directory, policies_directory;

/* Written before it is frozen. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct guarded_key);
	__type(value, __u32); /* enum guarded_level */
	__uint(max_entries, 256);
	__uint(map_flags, BPF_F_RDONLY_PROG);
} guarded SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct refusals);
	__uint(max_entries, 1);
} refusals SEC(".maps");

/* Counts a refusal, and is one. */
static __always_inline int refuse(void)
{
	struct refusals *counter;
	__u32 zero = 0;
	int ret = -EPERM;

	counter = bpf_map_lookup_elem(&refusals, &zero);
	if (counter)
		__sync_fetch_and_add(&counter->count, 1);
	FORGET(ret);
	return ret;
}

/* ---------------------------------------------------------------------------------------------
 * By id
 */

static __always_inline __u32 level_of(__u32 kind, __u32 id)
{
	struct guarded_key key = { .kind = kind, .id = id };
	__u32 *level = bpf_map_lookup_elem(&guarded, &key);

	return level ? *level : GUARDED_NOT;
}

SEC("lsm/bpf_map")
int BPF_PROG(guard_map, struct bpf_map *map, unsigned int mode, int ret)
{
	__u32 level = level_of(GUARDED_MAP, map->id);

	if (ret)
		return pass_on(ret);
	return level == GUARDED_WHOLLY || (level == GUARDED_FROM_WRITING && mode & FMODE_WRITE) ? refuse() : 0;
}

SEC("lsm/bpf_prog")
int BPF_PROG(guard_program, struct bpf_prog *prog, int ret)
{
	if (ret)
		return pass_on(ret);
	return level_of(GUARDED_PROGRAM, prog->aux->id) ? refuse() : 0;
}

/* `attr` is the kernel's copy. */
#define ATTRIBUTE(attr, field, variable) bpf_probe_read_kernel(&(variable), sizeof(variable), &(attr)->field)

/*
 * Of the programs on a hook, the one that was attached last runs first, and when it returns anything but 0 the others don't run. For
 * several hooks a number above 0 means that all is well to the kernel, as -ENOSYS does for task_prctl; so a further program there
 * could overrule ours. One that modifies what a function returns (fmod_ret) can do that for all hooks alike, as
 * security_bpf_map() and its like can be passed over so.
 *
 * There is no `ret`: newer kernels have it in another place.
 */
SEC("lsm/bpf")
int BPF_PROG(guard_load, int command, union bpf_attr *attr)
{
	__u32 type = 0, attach_type = 0, hook = 0;

	if (command != BPF_PROG_LOAD)
		return 0;
	ATTRIBUTE(attr, prog_type, type);
	ATTRIBUTE(attr, expected_attach_type, attach_type);
	ATTRIBUTE(attr, attach_btf_id, hook);
	if (type == BPF_PROG_TYPE_TRACING && attach_type == BPF_MODIFY_RETURN)
		return refuse();
	return type == BPF_PROG_TYPE_LSM && level_of(GUARDED_HOOK, hook) ? refuse() : 0;
}

/* ---------------------------------------------------------------------------------------------
 * By path
 */

static __always_inline bool is_pin_directory(struct inode *inode)
{
	return inode && inode->i_sb->s_dev == pin_device && (inode->i_ino == pin_directory || inode->i_ino == policies_directory);
}

/* Only directories are mounted on here: there is a directory in each of these mounts. */
static __always_inline bool is_mounted_on(struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;

	return inode && (inode->i_mode & S_IFMT) == S_IFDIR && is_mountpoint_of_pins((__u64)dentry);
}

SEC("lsm/inode_unlink")
int BPF_PROG(guard_unlink, struct inode *directory, struct dentry *dentry, int ret)
{
	if (ret)
		return pass_on(ret);
	return is_pin_directory(directory) ? refuse() : 0;
}

/*
 * A directory that something is mounted on in another mount namespace can be removed in this one, or replaced; and the kernel
 * then takes the mount away there (Linux, fs/namespace.c: __detach_mounts()).
 */
SEC("lsm/inode_rmdir")
int BPF_PROG(guard_rmdir, struct inode *directory, struct dentry *dentry, int ret)
{
	if (ret)
		return pass_on(ret);
	return is_pin_directory(dentry->d_inode) || is_mounted_on(dentry) ? refuse() : 0;
}

/* The kernel asks twice about an exchange, once in each direction (Linux, security/security.c: security_inode_rename()). */
SEC("lsm/inode_rename")
int BPF_PROG(guard_rename, struct inode *from, struct dentry *old, struct inode *to, struct dentry *new, int ret)
{
	if (ret)
		return pass_on(ret);
	if (is_pin_directory(from) || is_pin_directory(to) || is_pin_directory(old->d_inode))
		return refuse();
	return is_mounted_on(old) || is_mounted_on(new) ? refuse() : 0;
}

/* ---------------------------------------------------------------------------------------------
 * Mounts
 */

SEC("lsm/sb_umount")
int BPF_PROG(guard_umount, struct vfsmount *mnt, int flags, int ret)
{
	__u64 mount = mount_of(mnt);

	if (ret)
		return pass_on(ret);
	return holds_pins(mount) || reaches_pins(mount) ? refuse() : 0;
}

/*
 * What mount(2) would move is a string here, looked up later: so nobody moves anything by it in the mount namespace that the
 * pins are in. Elsewhere it moves nothing of that one's.
 */
SEC("lsm/sb_mount")
int BPF_PROG(guard_mount, const char *source, const struct path *path, const char *type, unsigned long flags, void *data, int ret)
{
	if (ret)
		return pass_on(ret);
	return flags & MS_MOVE && is_in_namespace_of_pins() ? refuse() : 0;
}

/*
 * By move_mount(2), one of the pins' mounts can be moved, or, while it is somewhere else, be made one of those that are unmounted
 * together; and another mount be put beneath one of them, which would be unmounted with what is on it.
 */
SEC("lsm/move_mount")
int BPF_PROG(guard_move, const struct path *from, const struct path *to, int ret)
{
	struct vfsmount *mnt = to->mnt;

	if (ret)
		return pass_on(ret);
	if (holds_pins(mount_of(from->mnt)))
		return refuse();
	if (to->dentry != mnt->mnt_root)
		return 0;
	return holds_pins(mount_of(mnt)) || (from->mnt->mnt_sb == mnt->mnt_sb && spreads_to_pins(mount_of(from->mnt))) ? refuse() : 0;
}

SEC("lsm/sb_pivotroot")
int BPF_PROG(guard_pivot, const struct path *old_root, const struct path *new_root, int ret)
{
	if (ret)
		return pass_on(ret);
	return holds_pins(mount_of(new_root->mnt)) || holds_pins(mount_of_root()) ? refuse() : 0;
}

/* ---------------------------------------------------------------------------------------------
 * Sysctls
 */

/* 1 lets it pass, 0 refuses it with EPERM. */
SEC("cgroup/sysctl")
int guard_sysctl(struct bpf_sysctl *ctx)
{
	const char wanted[] = "kernel/ftrace_enabled";
	char name[sizeof(wanted)] = { 0 };

	if (!ctx->write || bpf_sysctl_get_name(ctx, name, sizeof(name), 0) != sizeof(wanted) - 1)
		return 1;
	for (unsigned i = 0; i < sizeof(wanted); i++)
		if (name[i] != wanted[i])
			return 1;
	refuse();
	return 0;
}
