/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Identity: superblocks, directories and entries; what executables and processes are; their paths.
 */
#ifndef SOCKACCEPT_SHARED_IDENTITY_H
#define SOCKACCEPT_SHARED_IDENTITY_H

#include <linux/types.h>

#include "terms.h"

/* ---------------------------------------------------------------------------------------------
 * Identity: which directory entry is a binary
 *
 * A superblock (a mounted file system) gets a number when user space first asks about a file on it, never given again
 * until `unload`; the map `superblocks` finds it by its address, and forgets it before the address can be used again.
 *
 * Where a file system's own numbers are unique and never used again for as long as it is mounted, a directory is
 * known by them: {superblock, subvolume, inode, generation}, and a rule's entry is {directory, file name}.
 *
 * Elsewhere (overlayfs, 9p, squashfs, ...) a directory is known by the names that lead to it from the
 * file system's root. The entry is then found in steps, from the file's name upwards; struct directory has the
 * step in place of the inode number:
 *
 *   /usr/sbin/nginx on overlayfs:   {superblock, step 0}  "nginx" -> step 5
 *                                   {superblock, step 5}  "sbin"  -> step 6
 *                                   {superblock, step 6}  "usr"   -> step 7
 *                                   {superblock, step 7}  ""      -> binary 3: the empty name is the root
 *
 * A path that leads nowhere has an entry under superblock 0, which there is none of, with the whole path as its name: so the
 * rules that wait for it have the same number each time. No file is ever found to be that entry.
 */

struct superblock {
	__u64 root; /* address of s_root: one more proof that it is the same, if the hook was off when one went */
	__u32 number;
	__u32 reserved;
};

/* Identifies a directory; computed by directory_of() in bpf/identity.bpf.h alone, never from stat(2). */
struct directory {
	__u32 superblock;
	__u32 generation;
	__u64 subvolume; /* btrfs, whose subvolumes share a superblock and repeat inode numbers; else 0 */
	__u64 inode;     /* or the step */
};

struct entry_key {
	struct directory directory;
	char name[256]; /* zero-padded */
};
#define MAX_ENTRIES (2 * MAX_BINARIES) /* steps included */
#define MAX_STEPS 64 /* directories above a file, where they are known by their names */
#define MAX_SUPERBLOCKS 4096

enum file_flag {
	FILE_BY_NAMES = 1 << 0, /* FILE_STEP records follow, from the directory upwards, then a FILE_ROOT record */
	FILE_STEP = 1 << 1,
	FILE_ROOT = 1 << 2,
	FILE_IN_USER_NAMESPACE = 1 << 3, /* whoever mounted it can make up any name on it */
	FILE_ON_FUSE = 1 << 4,           /* as can the file system's server */
	FILE_NO_SUBVOLUME = 1 << 5,      /* on btrfs, and control.btrfs isn't set */
	FILE_NO_SUPERBLOCK = 1 << 6,     /* there is no room for a further one */
	FILE_FOLDS_CASE = 1 << 7,        /* so that a name has many spellings */
	FILE_MOVING = 1 << 8,            /* it is being renamed right now */
	FILE_UNLINKED = 1 << 9,          /* the name by which it was opened is gone */
	FILE_IS_DIRECTORY = 1 << 10,
};

/*
 * Record that the iterator `identify_files` writes for each open file of the process it is attached to: which
 * directory it is, or which it is in and its name there.
 */
struct file_identity {
	__u32 fd;
	__u32 flags;  /* enum file_flag */
	__u32 binary; /* the number of the entry that it is; 0: no rule has named it */
	__u32 reserved;
	struct directory directory;
	char name[256]; /* of a FILE_STEP: the directory's name */
	__u64 dentry;   /* its address, for comparison with that of a struct executable only */
};

/* Record that the iterator `list_processes` writes for each process with a struct process. */
struct process_identity {
	__u32 pid;
	__u32 binary; /* 0: nothing that a rule has named */
};

/*
 * The last look-up of a file's name. It holds for an executable with the same dentry and name while no entry is added. Whoever
 * changes it makes `sequence` odd first, and even after.
 */
struct lookup {
	__u64 sequence;
	__u64 dentry; /* its address */
	__u64 name;   /* name_stamp() in bpf/identity.bpf.h */
	__u64 epoch;  /* control.entries_epoch before the look-up */
	__u64 entry;  /* the number found, or 0: no rule has named it */
};

/*
 * What the processes are that execute a file, kept on its inode for as long as that is in memory, and so at least for as long
 * as one of them runs. Nearly every file is executed by one name alone; where there are several, each further process has a
 * struct process, which comes first.
 */
struct executable {
	__u64 dentry; /* by which it was executed first since the policy came: its address; 0: it wasn't. Set last */
	__u64 claimed; /* 1: somebody sets the others */
	__u64 epoch;  /* control.entries_epoch when it was executed last so */
	__u64 binary; /* the entry that it was then; 0: none. What was none becomes one when a rule names it, and stays that */
	__u32 many;    /* 1: it was also executed otherwise */
	__u32 unnamed; /* its number where it is no named binary, with BINARY_UNNAMED; 0: none yet */
	struct lookup lookup;
};

/* What a process is, kept with the first of its threads; children inherit it, and executing again makes an end of it. */
struct process {
	__u64 dentry; /* of its executable: an address. The record holds for that alone */
	__u64 epoch;  /* control.entries_epoch when it was executed */
	__u32 binary; /* the entry that it was then; 0: none */
	__u32 known;  /* 0: there is nothing here */
};

/* The path of a named binary, as resolved when its rule was made, in chunks; the last one is zero-padded. */
struct path_key {
	__u32 binary;
	__u32 chunk;
};
struct path_chunk {
	char bytes[256];
};

#define PATH_ROOM 260
struct seen_path {
	__u32 length;  /* 0: not known, as with a path of PATH_ROOM bytes or more */
	char path[PATH_ROOM];
};

/* The path of an unnamed binary, which holds while its own name is this. */
struct kept_path {
	__u64 name; /* name_stamp() in bpf/identity.bpf.h */
	struct seen_path path;
};

_Static_assert(sizeof(struct directory) == 24, "no padding");
_Static_assert(sizeof(struct entry_key) == 280, "no padding: it is hashed");
_Static_assert(sizeof(struct file_identity) == 304, "no padding");
_Static_assert(sizeof(struct lookup) == 40, "no padding");
_Static_assert(sizeof(struct executable) == 80, "no padding");
_Static_assert(sizeof(struct process) == 24, "no padding");
_Static_assert(sizeof(struct kept_path) == 272, "no padding");

#endif
