/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a file to the directory entry that it is: its directory and name, looked up among those that rules give (shared/identity.h).
 * process.bpf.h says what a process is by that.
 */
#ifndef SOCKACCEPT_IDENTITY_BPF_H
#define SOCKACCEPT_IDENTITY_BPF_H

#include "maps.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * Returns what the names and numbers of a file system are worth: enum file_flag; 0: its numbers are unique. There each directory has a
 * number that no other has or gets while it is mounted: a generation, random or counted up, tells apart what had the same inode number
 * one after the other.
 */
static __always_inline __u32 worth_of(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;

	if (sb->s_user_ns->level != 0)
		return FILE_IN_USER_NAMESPACE;
	if (inode->i_flags & S_CASEFOLD)
		return FILE_FOLDS_CASE;
	switch (sb->s_magic) {
	case FUSE_SUPER_MAGIC: return FILE_ON_FUSE;
	case MSDOS_SUPER_MAGIC:
	case EXFAT_SUPER_MAGIC: return FILE_FOLDS_CASE;
	case EXT4_SUPER_MAGIC:
	case XFS_SUPER_MAGIC:
	case F2FS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case TMPFS_MAGIC: return 0;
	default: return FILE_BY_NAMES;
	}
}
#define FILE_WORTHLESS (FILE_IN_USER_NAMESPACE | FILE_ON_FUSE | FILE_FOLDS_CASE | FILE_NO_SUBVOLUME | FILE_NO_SUPERBLOCK)

/* Reads the subvolume of a directory on btrfs. Returns false if user space hasn't said where that stands. */
static __always_inline bool subvolume_of(struct dentry *dentry, const struct control *control, __u64 *subvolume)
{
	__u64 at = 0;

	if (!control->btrfs.known)
		return false;
	/* As a number: the verifier knows no bounds of the struct that an inode is part of. */
	bpf_probe_read_kernel(&at, sizeof(at), &dentry->d_inode);
	bpf_probe_read_kernel(&at, sizeof(at), (void *)(at - control->btrfs.inode + control->btrfs.root));
	return !bpf_probe_read_kernel(subvolume, sizeof(*subvolume), (void *)(at + control->btrfs.objectid));
}

/* Returns the number of a superblock; 0: it has none, as no rule was made on it yet. */
static __always_inline __u32 superblock_number(struct super_block *sb)
{
	__u64 address = (__u64)sb;
	struct superblock *known = bpf_map_lookup_elem(&superblocks, &address);

	return known && known->root == (__u64)sb->s_root ? known->number : 0;
}

/*
 * Computes the identity of a directory: the only place that does, for the hooks and for user space alike. Returns enum file_flag;
 * `directory` is good if none of FILE_WORTHLESS is set.
 */
static __always_inline __u32 directory_of(struct dentry *dentry, const struct control *control, struct directory *directory)
{
	struct inode *inode = dentry->d_inode;
	__u32 flags = worth_of(inode);

	directory->superblock = superblock_number(inode->i_sb);
	if (flags)
		return flags;
	directory->inode = inode->i_ino;
	directory->generation = inode->i_generation;
	if (inode->i_sb->s_magic == BTRFS_SUPER_MAGIC && !subvolume_of(dentry, control, &directory->subvolume))
		return FILE_NO_SUBVOLUME;
	return 0;
}

/*
 * Returns the sequence of a dentry's changes. Its name and directory change together, in d_move(), while d_seq is odd (Linux,
 * fs/dcache.c).
 */
static __always_inline __u32 sequence_of(struct dentry *dentry)
{
	return *(volatile unsigned int *)&dentry->d_seq.seqcount.sequence;
}

/* Clears a name by one call. A store for each of its words would be followed by a verifier for each directory above a file. */
static __always_inline void clear_name(struct entry_key *key)
{
	static const char nothing[sizeof(key->name)];

	bpf_probe_read_kernel(key->name, sizeof(key->name), nothing);
}

/*
 * Puts the name of `dentry` into `key`. Returns the directory in which it had that name; NULL: it is being renamed. A name of one
 * moment in the directory of another would be some other file's.
 */
static __always_inline struct dentry *read_name(struct dentry *dentry, struct entry_key *key)
{
	__u32 sequence = sequence_of(dentry);
	struct dentry *directory = dentry->d_parent;

	clear_name(key);
	bpf_probe_read_kernel_str(key->name, sizeof(key->name), dentry->d_name.name);
	return !(sequence & 1) && sequence_of(dentry) == sequence ? directory : 0;
}

/*
 * Goes from the name in `key`, of a file in `directory`, up to the file system's root, in the steps that shared/identity.h shows. Adds
 * FILE_STEP to *flags if there was a first step: the answer then depends on the names of directories too. Returns the binary; 0: no
 * rule names it.
 */
static __always_inline __u32 find_by_names(struct entry_key *key, struct dentry *directory, __u32 *flags)
{
	struct dentry *root = directory->d_inode->i_sb->s_root;
	const __u32 *step;

	for (int depth = 0; depth <= MAX_STEPS; depth++) {
		step = bpf_map_lookup_elem(&entries, key);
		if (!step)
			return 0;
		*flags |= FILE_STEP;
		key->directory.inode = *step;
		if (directory == root)
			break;
		directory = read_name(directory, key);
		if (!directory) {
			*flags |= FILE_MOVING;
			return 0;
		}
	}
	if (directory != root)
		return 0;
	clear_name(key);
	step = bpf_map_lookup_elem(&entries, key);
	return step ? *step : 0;
}

/* What came with a look-up. */
struct found {
	__u32 flags; /* of the directory. With FILE_STEP or FILE_MOVING, the answer holds for this moment only */
};

/* Returns the number of the entry that `dentry` is; 0: no rule names it. Not inlined: the key takes half of a program's stack. */
static __attribute__((noinline)) __u32 find_entry(struct dentry *dentry, const struct control *control, struct found *found)
{
	struct entry_key key = {};
	struct dentry *directory = read_name(dentry, &key);
	const __u32 *number;

	found->flags = FILE_MOVING;
	if (!directory)
		return 0;
	found->flags = directory_of(directory, control, &key.directory);
	if (found->flags & FILE_WORTHLESS || !key.directory.superblock)
		return 0;
	if (found->flags & FILE_BY_NAMES)
		return find_by_names(&key, directory, &found->flags);
	number = bpf_map_lookup_elem(&entries, &key);
	return number ? *number : 0;
}

/*
 * Returns a stamp for the name that a dentry has: d_name.hash, into which the kernel mixes the address of the directory's dentry, and
 * d_seq, which each rename changes.
 */
static __always_inline __u64 name_stamp(struct dentry *dentry)
{
	return (__u64)dentry->d_name.hash << 32 | sequence_of(dentry);
}

/* Returns the record of an inode, and makes it if there is none. NULL: no memory. */
static __always_inline struct executable *executable_of_inode(struct inode *inode)
{
	struct executable *executable = bpf_inode_storage_get(&executables, inode, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	/* Of two that make it at once, one is told that it couldn't. */
	return executable ?: bpf_inode_storage_get(&executables, inode, 0, 0);
}

/* Returns a new number for an unnamed binary. */
static __always_inline __u32 next_unnamed(struct control *control)
{
	return BINARY_UNNAMED | (__u32)__sync_fetch_and_add(&control->next_unnamed, 1);
}

/* Returns a number that only this file has. */
static __always_inline __u32 unnamed_number(struct executable *executable, struct control *control)
{
	__u32 number;

	if (!executable)
		return next_unnamed(control);
	if (!executable->unnamed) {
		number = next_unnamed(control);
		__sync_val_compare_and_swap(&executable->unnamed, 0, number);
	}
	return executable->unnamed;
}

/* Keeps a look-up. If another run is at it, its look-up is as good. */
static __always_inline void keep_lookup(struct lookup *lookup, struct dentry *dentry, __u64 name, __u64 epoch, __u32 entry)
{
	__u64 sequence = *(volatile __u64 *)&lookup->sequence;

	if (sequence & 1 || __sync_val_compare_and_swap(&lookup->sequence, sequence, sequence + 1) != sequence)
		return;
	lookup->dentry = (__u64)dentry;
	lookup->name = name;
	lookup->epoch = epoch;
	lookup->entry = entry;
	__sync_fetch_and_add(&lookup->sequence, 1);
}

/* Returns true, with its answer, if the last look-up holds for this name now. */
static __always_inline bool recall_lookup(const struct lookup *lookup, struct dentry *dentry, __u64 name, __u64 epoch, __u32 *entry)
{
	__u64 sequence = *(volatile __u64 *)&lookup->sequence;

	if (sequence & 1 || lookup->dentry != (__u64)dentry || lookup->name != name || lookup->epoch != epoch)
		return false;
	*entry = *(volatile __u64 *)&lookup->entry;
	return *(volatile __u64 *)&lookup->sequence == sequence;
}

/* Returns the entry that `dentry` is by the name that it has now; 0: none. `epoch`: control.entries_epoch, read before. */
static __always_inline __u32 entry_of(struct executable *executable, struct dentry *dentry, const struct control *control, __u64 epoch)
{
	__u64 name = name_stamp(dentry);
	struct found found = {};
	__u32 entry = 0;

	if (executable && recall_lookup(&executable->lookup, dentry, name, epoch, &entry))
		return entry;
	entry = find_entry(dentry, control, &found);
	/* A directory above can be renamed without a mark on this name: then look it up each time. */
	if (executable && !(found.flags & (FILE_STEP | FILE_MOVING)))
		keep_lookup(&executable->lookup, dentry, name, epoch, entry);
	return entry;
}

/* Returns the executable of `task`; NULL: a kernel thread. */
static __always_inline struct file *executable_of(struct task_struct *task)
{
	struct mm_struct *mm = task->mm;

	return mm ? mm->exe_file : 0;
}

#endif
