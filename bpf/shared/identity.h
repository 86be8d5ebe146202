/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Identity: which directory entry a file is, what executables and processes are by that, and their paths.
 *
 * A rule names a path. The path stands for a directory entry: a directory, and a file name in it. The entry has a number, its binary.
 *
 * Superblocks. A superblock is a mounted file system. User space's first question about a file on it gives it a number, which is never
 * given again until `unload`. The map `superblocks` finds the number by the superblock's address, and forgets it before the kernel can
 * use that address again.
 *
 * Directories by number. On most file systems the inode numbers and generations are unique for as long as it is mounted. There a
 * directory is {superblock, subvolume, inode, generation}, and a rule's entry is {directory, file name}.
 *
 * Directories by name. On others (overlayfs, 9p, squashfs, ...) a directory is known by the names that lead to it from the file system's
 * root. The entry is found in steps, from the file's name upwards. struct directory then has the step in place of the inode number:
 *
 *   /usr/sbin/nginx on overlayfs:   {superblock, step 0}  "nginx" -> step 5
 *                                   {superblock, step 5}  "sbin"  -> step 6
 *                                   {superblock, step 6}  "usr"   -> step 7
 *                                   {superblock, step 7}  ""      -> binary 3: the empty name is the root
 *
 * Paths that lead nowhere. Such a path has an entry under superblock 0, which no file system has, with the whole path as its name. So the
 * rules that wait for it get the same number each time, and no file is ever found to be that entry.
 */
#ifndef SOCKACCEPT_SHARED_IDENTITY_H
#define SOCKACCEPT_SHARED_IDENTITY_H

#include <linux/types.h>

#include "terms.h"

/* ---------------------------------------------------------------------------------------------
 * Directory entries
 */

/* Value of `superblocks`; the key is the superblock's address. */
struct superblock {
	__u64 root; /* address of its s_root. Proves that it is the same one, in case the hook was off when an earlier one went away */
	__u32 number;
	__u32 reserved;
};
#define MAX_SUPERBLOCKS 4096

/* Identifies a directory. Only directory_of() in bpf/identity.bpf.h computes it; it is never taken from stat(2). */
struct directory {
	__u32 superblock; /* its number */
	__u32 generation;
	__u64 subvolume; /* on btrfs, whose subvolumes share a superblock and repeat inode numbers; else 0 */
	__u64 inode;     /* inode number, or the step */
};

/* Key of `entries`; the value is a u32: the binary, or the next step. */
struct entry_key {
	struct directory directory;
	char name[256]; /* zero-padded */
};
#define MAX_ENTRIES (2 * MAX_BINARIES) /* steps included */
#define MAX_STEPS 64                   /* directories above a file, where directories are known by their names */

enum file_flag {
	FILE_BY_NAMES = 1 << 0, /* directories are known by name: FILE_STEP records follow, from the directory upwards, then a FILE_ROOT */
	FILE_STEP = 1 << 1,     /* the record is a directory on the way up */
	FILE_ROOT = 1 << 2,     /* the record is the root */
	FILE_IN_USER_NAMESPACE = 1 << 3, /* whoever mounted it can make up any name on it */
	FILE_ON_FUSE = 1 << 4,           /* the file system's server can make up any name on it */
	FILE_NO_SUBVOLUME = 1 << 5,      /* on btrfs, and control.btrfs isn't set */
	FILE_NO_SUPERBLOCK = 1 << 6,     /* there is no room for one more superblock */
	FILE_FOLDS_CASE = 1 << 7,        /* upper and lower case are the same here, so a name has many spellings */
	FILE_MOVING = 1 << 8,            /* somebody is renaming it right now */
	FILE_UNLINKED = 1 << 9,          /* the name by which it was opened is gone */
	FILE_IS_DIRECTORY = 1 << 10,
};

/*
 * Record that the iterator `identify_files` writes for each open file of the process that it is attached to: which directory the file is,
 * or in which directory it is and under which name.
 */
struct file_identity {
	__u32 fd;
	__u32 flags;  /* enum file_flag */
	__u32 binary; /* the entry that it is; 0: no rule names it */
	__u32 reserved;
	struct directory directory;
	char name[256]; /* of a FILE_STEP: the directory's name */
	__u64 dentry;   /* its address, to compare with struct executable */
};

/* ---------------------------------------------------------------------------------------------
 * Executables and processes
 *
 * What a process is, is settled when it executes a file, by the name that the file has then. It stays that until the process executes
 * again, and its children are the same.
 *
 * An epoch is a value of control.entries_epoch: the number that the next new entry gets. So an entry is newer than an epoch if its number
 * is not below it.
 */

/*
 * The last look-up of a file's name. It holds while the executable has the same dentry and name, and no entry is added. Whoever changes it
 * makes `sequence` odd before, and even again after.
 */
struct lookup {
	__u64 sequence;
	__u64 dentry; /* its address */
	__u64 name;   /* name_stamp() in bpf/identity.bpf.h */
	__u64 epoch;  /* before the look-up */
	__u64 entry;  /* the binary that was found; 0: no rule names it */
};

/*
 * Value of `executables`: what the processes are that execute a file. It stays with the file's inode while that is in memory, and so at
 * least while one of them runs. Nearly every file is executed by one name only. If it is executed by several, each further process has a
 * struct process of its own, which takes precedence.
 */
struct executable {
	__u64 dentry;  /* address of the dentry by which it was executed first since hooks are attached; 0: it wasn't. Set last */
	__u64 claimed; /* 1: somebody is setting the other fields, or has set them */
	__u64 epoch;   /* when it was last executed by that dentry */
	__u64 binary;  /* the entry that it was then; 0: none. If a rule names it later, it becomes that entry, and stays it */
	__u32 many;    /* 1: it was also executed otherwise */
	__u32 unnamed; /* BINARY_UNNAMED|n: its number where it is no named binary; 0: none yet */
	struct lookup lookup;
};

/*
 * Value of `processes`: what a process is, kept with its first thread. Children inherit it; the record ends when the process executes
 * another file.
 */
struct process {
	__u64 dentry; /* address of its executable's dentry. The record holds for that executable only */
	__u64 epoch;  /* when it was executed */
	__u32 binary; /* the entry that it was then; 0: none */
	__u32 known;  /* 0: this record is empty */
};

/* Record that the iterator `list_processes` writes for each process that has a struct process. */
struct process_identity {
	__u32 pid;
	__u32 binary; /* 0: no rule named it */
};

/* ---------------------------------------------------------------------------------------------
 * Paths, for display only
 */

/* Key and value of `binary_paths`: the path of a named binary, as it was resolved when its rule was made, 256 bytes a chunk. */
struct path_key {
	__u32 binary;
	__u32 chunk; /* from 0 */
};
struct path_chunk {
	char bytes[256]; /* the last chunk is zero-padded */
};

#define PATH_ROOM 260
struct seen_path {
	__u32 length; /* without the zero at its end; 0: not known, as is a path of PATH_ROOM bytes or more */
	char path[PATH_ROOM];
};

/* Value of `seen_paths`: the path of an unnamed binary. It holds while the file's own name has this stamp. */
struct kept_path {
	__u64 name; /* name_stamp() in bpf/identity.bpf.h */
	struct seen_path path;
};

_Static_assert(sizeof(struct superblock) == 16, "no padding");
_Static_assert(sizeof(struct directory) == 24, "no padding");
_Static_assert(sizeof(struct entry_key) == 280, "no padding: it is hashed");
_Static_assert(sizeof(struct file_identity) == 304, "no padding");
_Static_assert(sizeof(struct lookup) == 40, "no padding");
_Static_assert(sizeof(struct executable) == 80, "no padding");
_Static_assert(sizeof(struct process) == 24, "no padding");
_Static_assert(sizeof(struct path_key) == 8, "no padding: it is hashed");
_Static_assert(sizeof(struct kept_path) == 272, "no padding");

#endif
