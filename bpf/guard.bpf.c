/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard: `lock` attaches it, and it stays until the machine stops. It refuses the ordinary means by which root could change what is
 * decided. Each program lets pass what isn't ours, and counts what it refuses.
 *
 *   lsm/bpf_map         guard_map: refuses to open our maps for writing; and at all, those that decisions depend on
 *   lsm/bpf_prog        guard_program: refuses to open our programs, except those that readers need
 *   lsm/bpf             guard_load: refuses to load a program that could overrule one of our hooks, or turn off one that
 *                       decisions depend on
 *   lsm/inode_unlink    guard_unlink: keeps the pins
 *   lsm/inode_rename    guard_rename: keeps the pins, their directories, and the directories that the pins' mounts are mounted on
 *   lsm/inode_rmdir     guard_rmdir: keeps these directories
 *   lsm/sb_umount       guard_umount: keeps the mounts that the pins are reached through (guard_mounts.bpf.h)
 *   lsm/sb_mount        guard_mount: keeps them where they are; so do the next two
 *   lsm/move_mount      guard_move
 *   lsm/sb_pivotroot    guard_pivot
 *   cgroup/sysctl       guard_sysctl: keeps kernel.ftrace_enabled, which turns LSM programs off on Linux 6.1 and 6.12
 *   iter/task_file      list_mounts (guard_mounts.bpf.h): tells `lock` where the pins are mounted. Guards nothing
 *
 * Nobody can detach the guard, so none of them may refuse more than this list says: that would last until the machine stops.
 */
#include "shared/guard.h"
#include "guard_mounts.bpf.h"
#include "kernel_types.h"
#include "pass_on.bpf.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

/* The bpffs with the pins, and the inodes of their directories on it. Set before the programs are loaded. */
const volatile __u32 pin_device;
const volatile __u64 pin_directory, policies_directory;

/* Filled in before it is frozen. */
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

/* Counts a refusal, and returns it. */
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
 * Of the programs on a hook, the one that was attached last runs first, and if it returns anything but 0, the others don't run. For
 * several hooks, a number above 0 means to the kernel that all is well, as does -ENOSYS for task_prctl. So a further program there
 * could overrule ours. A program that modifies what a function returns (fmod_ret) could do that to any hook, as it could make the
 * kernel skip security_bpf_map() and the like.
 *
 * There is no `ret` here: newer kernels have it in another place.
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

/* True if one of the pins' mounts is mounted on it. Only directories are asked about: each of these mounts is on a directory. */
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
 * A directory that something is mounted on in another mount namespace can be removed or replaced in this one. The kernel then takes the
 * mount away there (Linux, fs/namespace.c: __detach_mounts()).
 */
SEC("lsm/inode_rmdir")
int BPF_PROG(guard_rmdir, struct inode *directory, struct dentry *dentry, int ret)
{
	if (ret)
		return pass_on(ret);
	return is_pin_directory(dentry->d_inode) || is_mounted_on(dentry) ? refuse() : 0;
}

/* For an exchange the kernel asks twice, once in each direction (Linux, security/security.c: security_inode_rename()). */
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
 * What mount(2) would move is a string here, which is looked up later. So nobody moves anything by mount(2) in the mount namespace that
 * the pins are in. In another one, it can't move anything of that one.
 */
SEC("lsm/sb_mount")
int BPF_PROG(guard_mount, const char *source, const struct path *path, const char *type, unsigned long flags, void *data, int ret)
{
	if (ret)
		return pass_on(ret);
	return flags & MS_MOVE && is_in_namespace_of_pins() ? refuse() : 0;
}

/*
 * By move_mount(2), one of the pins' mounts could be moved. Or mounts in different places could be made to be unmounted together.
 * Or another mount could be put beneath one of the pins' mounts, and be unmounted with all that is on it.
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

/* Returns 1 to let it pass, 0 to refuse it with EPERM. */
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
