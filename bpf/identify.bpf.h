/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells user space what its open files are, as identity.bpf.h computes that for the hooks; and forgets file systems that are gone.
 *
 *   lsm/sb_free_security   superblock_free: forgets a file system that is gone, before another superblock can get its address.
 *                          Runs when a file system is unmounted. Decides nothing.
 *   iter/task_file         identify_files: writes a struct file_identity for each open file of the process that it is attached
 *                          to. Runs when user space makes a rule or asks about a file. Decides nothing.
 */
#ifndef SOCKACCEPT_IDENTIFY_BPF_H
#define SOCKACCEPT_IDENTIFY_BPF_H

#include "identity.bpf.h"
#include "shared/compiler.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

SEC("lsm/sb_free_security")
int BPF_PROG(superblock_free, struct super_block *sb)
{
	__u64 address = (__u64)sb;

	bpf_map_delete_elem(&superblocks, &address);
	return 0;
}

/* Returns the number of a superblock, and gives it one if it has none. 0: there is no room. */
static __always_inline __u32 number_superblock(struct super_block *sb, struct control *control)
{
	struct superblock *there, fresh = { .root = (__u64)sb->s_root };
	__u64 address = (__u64)sb;

	there = bpf_map_lookup_elem(&superblocks, &address);
	if (there && there->root == fresh.root)
		return there->number;
	if (there) /* it is of another superblock, which went away while the hook was off */
		bpf_map_delete_elem(&superblocks, &address);
	fresh.number = (__u32)__sync_fetch_and_add(&control->next_superblock, 1) + 1;
	/* Of two runs that come at once, the first one counts. */
	bpf_map_update_elem(&superblocks, &address, &fresh, BPF_NOEXIST);
	return superblock_number(sb);
}

static __always_inline void write_name(struct bpf_iter__task_file *ctx, struct file_identity *identity, struct dentry *dentry)
{
	__builtin_memset(identity->name, 0, sizeof(identity->name));
	bpf_probe_read_kernel_str(identity->name, sizeof(identity->name), dentry->d_name.name);
	bpf_seq_write(ctx->meta->seq, identity, sizeof(*identity));
}

/* Writes a record for each name from `dentry` up to the file system's root. */
static __always_inline void write_steps(struct bpf_iter__task_file *ctx, struct file_identity *identity, struct dentry *dentry)
{
	struct dentry *root = dentry->d_inode->i_sb->s_root;

	identity->flags = FILE_STEP;
	for (int depth = 0; depth < MAX_STEPS; depth++) {
		if (dentry == root || dentry == dentry->d_parent)
			break;
		write_name(ctx, identity, dentry);
		dentry = dentry->d_parent;
	}
	if (dentry != root)
		return; /* the end is missing: too many steps, or another root than the superblock's, as on NFS */
	identity->flags = FILE_ROOT;
	__builtin_memset(identity->name, 0, sizeof(identity->name));
	bpf_seq_write(ctx->meta->seq, identity, sizeof(*identity));
}

/* Not inlined: a record takes half of a program's stack, and so does an entry's key. */
static __attribute__((noinline)) bool describe_file(struct bpf_iter__task_file *ctx, struct file *file, struct control *there, __u32 binary)
{
	struct file_identity identity = { .fd = ctx->fd, .binary = binary };
	struct dentry *dentry = file->f_path.dentry, *directory = dentry;

	if ((file->f_inode->i_mode & S_IFMT) != S_IFDIR)
		directory = dentry->d_parent;
	identity.flags = directory_of(directory, there, &identity.directory);
	if (!(identity.flags & FILE_WORTHLESS)) {
		identity.directory.superblock = number_superblock(directory->d_inode->i_sb, there);
		if (!identity.directory.superblock)
			identity.flags |= FILE_NO_SUPERBLOCK;
	}
	if (dentry == directory)
		identity.flags |= FILE_IS_DIRECTORY;
	if (!dentry->d_hash.pprev)
		identity.flags |= FILE_UNLINKED;
	identity.dentry = (__u64)dentry;
	write_name(ctx, &identity, dentry);
	if (identity.flags & FILE_BY_NAMES)
		write_steps(ctx, &identity, directory);
	return true;
}

SEC("iter/task_file")
int identify_files(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct found found = {};
	struct control *there;
	__u32 zero = 0;

	there = bpf_map_lookup_elem(&control, &zero);
	if (!file || !ctx->task || !there)
		return 0;
	CALL(describe_file(ctx, file, there, find_entry(file->f_path.dentry, there, &found)));
	return 0;
}

#endif
