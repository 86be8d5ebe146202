/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard, attached by `lock` and until the machine stops: refuses the ordinary means by which root could change what is
 * decided. Each of its programs lets pass what isn't ours, and counts what it refuses.
 *
 *   lsm/bpf_map       a descriptor of one of our maps: for writing, or at all of those that decisions depend on
 *   lsm/bpf_prog      a descriptor of guard_sysctl, by which it could be detached
 *   lsm/inode_unlink, lsm/inode_rename   the pins, and the directories that they are in
 *   lsm/sb_umount     the bpffs that has them
 *   cgroup/sysctl     kernel.ftrace_enabled, which turns LSM programs off on 6.1 and 6.12 (DESIGN, section 10)
 */
#include "kernel_types.h"
#include "pass_on.bpf.h"
#include "sockaccept.h"

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

static __always_inline bool is_pin_directory(struct inode *inode)
{
	return inode && inode->i_sb->s_dev == pin_device && (inode->i_ino == pin_directory || inode->i_ino == policies_directory);
}

SEC("lsm/inode_unlink")
int BPF_PROG(guard_unlink, struct inode *directory, struct dentry *dentry, int ret)
{
	if (ret)
		return pass_on(ret);
	return is_pin_directory(directory) ? refuse() : 0;
}

/* The kernel asks twice about an exchange, once in each direction (Linux, security/security.c: security_inode_rename()). */
SEC("lsm/inode_rename")
int BPF_PROG(guard_rename, struct inode *from, struct dentry *old, struct inode *to, struct dentry *new, int ret)
{
	if (ret)
		return pass_on(ret);
	return is_pin_directory(from) || is_pin_directory(to) || is_pin_directory(old->d_inode) ? refuse() : 0;
}

SEC("lsm/sb_umount")
int BPF_PROG(guard_umount, struct vfsmount *mnt, int flags, int ret)
{
	if (ret)
		return pass_on(ret);
	return mnt->mnt_sb->s_dev == pin_device ? refuse() : 0;
}

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
