/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which binary is calling: from the caller's executable to the number that rules are found by.
 *
 * A rule stands for a directory entry. The name that an executable was opened by is looked up among the entries of
 * the policy: so a binary that is replaced (rename over, unlink and create) is found again with no help from user
 * space, and so is a process that runs a file which is deleted by now, as the kernel keeps its name. The answer is
 * kept on the inode object itself: no number that could be used again decides.
 */
#ifndef SOCKACCEPT_IDENTITY_BPF_H
#define SOCKACCEPT_IDENTITY_BPF_H

#include "maps.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * How much the names and numbers of a file system are worth, as enum file_flag. Those that are known by numbers
 * give each directory one that no other has or will have while it is mounted: a generation, drawn at random or
 * counted up, tells apart what had the same inode number one after the other.
 */
static __always_inline __u32 worth_of(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;

	if (sb->s_user_ns->level != 0)
		return FILE_IN_USER_NAMESPACE;
	if (inode->i_flags & S_CASEFOLD)
		return FILE_FOLDS_CASE;
	switch (sb->s_magic) {
	case FUSE_SUPER_MAGIC:
		return FILE_ON_FUSE;
	case MSDOS_SUPER_MAGIC:
	case EXFAT_SUPER_MAGIC:
		return FILE_FOLDS_CASE;
	case EXT4_SUPER_MAGIC:
	case XFS_SUPER_MAGIC:
	case F2FS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case TMPFS_MAGIC:
		return 0;
	default:
		return FILE_BY_NAMES;
	}
}
#define FILE_WORTHLESS \
	(FILE_IN_USER_NAMESPACE | FILE_ON_FUSE | FILE_FOLDS_CASE | FILE_NO_SUBVOLUME | FILE_NO_SUPERBLOCK)

/* True, and *subvolume is that of a directory on btrfs; false: user space hasn't said where it stands. */
static __always_inline bool subvolume_of(struct dentry *dentry, const struct control *control, __u64 *subvolume)
{
	__u64 at = 0;

	if (!control->btrfs.known)
		return false;
	/* As a number: the verifier knows no bounds of what an inode is inside of. */
	bpf_probe_read_kernel(&at, sizeof(at), &dentry->d_inode);
	bpf_probe_read_kernel(&at, sizeof(at), (void *)(at - control->btrfs.inode + control->btrfs.root));
	return !bpf_probe_read_kernel(subvolume, sizeof(*subvolume), (void *)(at + control->btrfs.objectid));
}

/* The number of a superblock; 0: no rule was made on it yet. */
static __always_inline __u32 superblock_number(struct super_block *sb)
{
	__u64 address = (__u64)sb;
	struct superblock *known = bpf_map_lookup_elem(&superblocks, &address);

	return known && known->root == (__u64)sb->s_root ? known->number : 0;
}

/*
 * The only place where a directory's identity is computed, for the hook and for user space alike. Returns enum
 * file_flag; `directory` is of use if none of FILE_WORTHLESS is among them.
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

/* The name and directory of a dentry change together, in d_move(), with d_seq odd meanwhile (Linux, fs/dcache.c). */
static __always_inline __u32 sequence_of(struct dentry *dentry)
{
	return *(volatile unsigned int *)&dentry->d_seq.seqcount.sequence;
}

/*
 * Puts the name of `dentry` into `key`, and its hash into *hash. Returns the directory in which it had that name, or NULL
 * if it is being renamed: a name of one moment in the directory of another would be somebody else's.
 */
static __always_inline struct dentry *read_name(struct dentry *dentry, struct entry_key *key, __u32 *hash)
{
	__u32 sequence = sequence_of(dentry);
	struct dentry *directory = dentry->d_parent;

	__builtin_memset(key->name, 0, sizeof(key->name));
	bpf_probe_read_kernel_str(key->name, sizeof(key->name), dentry->d_name.name);
	*hash = dentry->d_name.hash;
	return !(sequence & 1) && sequence_of(dentry) == sequence ? directory : 0;
}

/*
 * Goes up from the name in `key`, of a file in `directory`, to the file system's root, in the steps that stand in
 * sockaccept.h. Adds FILE_STEP to *flags if there was a first step: the answer then depends on the names of directories too.
 */
static __always_inline __u32 find_by_names(struct entry_key *key, struct dentry *directory, __u32 *flags)
{
	struct dentry *root = directory->d_inode->i_sb->s_root;
	const __u32 *step;
	__u32 hash;

	for (int depth = 0; depth <= MAX_STEPS; depth++) {
		step = bpf_map_lookup_elem(&entries, key);
		if (!step)
			return 0;
		*flags |= FILE_STEP;
		key->directory.inode = *step;
		if (directory == root)
			break;
		directory = read_name(directory, key, &hash);
		if (!directory) {
			*flags |= FILE_MOVING;
			return 0;
		}
	}
	if (directory != root)
		return 0;
	__builtin_memset(key->name, 0, sizeof(key->name));
	step = bpf_map_lookup_elem(&entries, key);
	return step ? *step : 0;
}

/* What came with a look-up. */
struct found {
	__u32 flags; /* those of the directory; with FILE_STEP or FILE_MOVING, that there is no entry holds for now only */
	__u32 hash;  /* that of the name which was looked up */
};

/*
 * The number of the entry that `dentry` is, or 0: no rule has named it. Not inlined, as the key takes half of a program's
 * stack.
 */
static __attribute__((noinline)) __u32 find_entry(struct dentry *dentry, const struct control *control, struct found *found)
{
	struct entry_key key = {};
	struct dentry *directory = read_name(dentry, &key, &found->hash);
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

/* Made if it isn't there; NULL: no memory. */
static __always_inline struct file_tag *tag_of(struct inode *inode)
{
	struct file_tag *tag = bpf_inode_storage_get(&file_tags, inode, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	/* Of two that make it at once, one is told that it couldn't. */
	return tag ?: bpf_inode_storage_get(&file_tags, inode, 0, 0);
}

static __always_inline __u32 next_unnamed(struct control *control)
{
	return BINARY_UNNAMED | (__u32)__sync_fetch_and_add(&control->next_unnamed, 1);
}

/* A number that is this file's alone. */
static __always_inline __u32 unnamed_number(struct file_tag *tag, struct control *control)
{
	__u32 number;

	if (!tag)
		return next_unnamed(control);
	if (!tag->unnamed) {
		number = next_unnamed(control);
		__sync_val_compare_and_swap(&tag->unnamed, 0, number);
	}
	return tag->unnamed;
}

/* If another run is at it, theirs is as good. */
static __always_inline void keep_lookup(struct inode *inode, struct dentry *dentry, __u32 hash, __u64 epoch,
					__u32 binary)
{
	struct lookup *lookup = bpf_inode_storage_get(&lookups, inode, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	__u64 sequence;

	if (!lookup)
		return;
	sequence = *(volatile __u64 *)&lookup->sequence;
	if (sequence & 1 || __sync_val_compare_and_swap(&lookup->sequence, sequence, sequence + 1) != sequence)
		return;
	lookup->dentry = (__u64)dentry;
	lookup->hash = hash;
	lookup->epoch = epoch;
	lookup->binary = binary;
	__sync_fetch_and_add(&lookup->sequence, 1);
}

/*
 * Looks up the name of an executable, and keeps the answer. A name that no rule gives leaves the file what it was
 * known to be: so one that is renamed away keeps its rule.
 */
static __always_inline __u32 look_up(struct inode *inode, struct dentry *dentry, struct control *control)
{
	/* Read before the entries are: one that is added meanwhile makes the answer stale at once. */
	__u64 epoch = *(volatile __u64 *)&control->entries_epoch;
	struct found found = {};
	__u32 entry = find_entry(dentry, control, &found), number = entry;
	struct file_tag *tag = tag_of(inode);

	if (entry && tag)
		tag->named = entry;
	else if (!entry && tag && !(found.flags & FILE_WORTHLESS))
		number = tag->named;
	if (!number) {
		number = unnamed_number(tag, control);
		bpf_map_delete_elem(&seen_paths, &number); /* that of another name */
	}
	/* A directory above can be renamed to what a rule says without a mark on this name: look again each time. */
	if (entry || !(found.flags & (FILE_STEP | FILE_MOVING)))
		keep_lookup(inode, dentry, found.hash, epoch, number);
	return number;
}

/* The executable of `task`; NULL: a kernel thread. */
static __always_inline struct file *executable_of(struct task_struct *task)
{
	struct mm_struct *mm = task->mm;

	return mm ? mm->exe_file : 0;
}

/* The answer of the last look-up, if it holds for this name now; 0: it doesn't. */
static __always_inline __u32 known_binary(struct inode *inode, struct dentry *dentry, const struct control *control)
{
	struct lookup *known = bpf_inode_storage_get(&lookups, inode, 0, 0);
	__u64 sequence;
	__u32 binary;

	if (!known)
		return 0;
	sequence = *(volatile __u64 *)&known->sequence;
	if (sequence & 1 || known->dentry != (__u64)dentry || known->hash != dentry->d_name.hash ||
	    known->epoch != *(volatile __u64 *)&control->entries_epoch)
		return 0;
	binary = *(volatile __u32 *)&known->binary;
	return *(volatile __u64 *)&known->sequence == sequence ? binary : 0;
}

/* The number of the executable `exe`. */
static __always_inline __u32 binary_of(struct file *exe, struct control *control)
{
	struct inode *inode = exe->f_inode;
	struct dentry *dentry = exe->f_path.dentry;

	if (!inode || !dentry)
		return BINARY_ANY;
	return known_binary(inode, dentry, control) ?: look_up(inode, dentry, control);
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
