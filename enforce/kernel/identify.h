/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which directory entry an open file is. Computed in the kernel, by the same function that the hook uses, so that
 * both can't differ; user space only asks.
 */
#ifndef SOCKACCEPT_IDENTIFY_H
#define SOCKACCEPT_IDENTIFY_H

#include <stddef.h>

#include "enforce/kernel/kernel.h"

typedef char file_name[sizeof(((struct file_identity *)0)->name)];

/* Zero-initialised is empty. */
struct identity {
	__u32 flags;                /* enum file_flag; FILE_ROOT: `steps` are all there are */
	uint32_t binary;            /* the number of the entry that it is; BINARY_ANY: no rule has named it */
	struct directory directory; /* itself, or the one that the file is in */
	file_name name;             /* the one that the file was opened by */
	__u64 dentry;               /* its address */
	file_name *steps;           /* FILE_BY_NAMES: the directory's name, that of the one above, ... */
	size_t step_count;
};

/* How many files can be asked about at a time: far below the usual limit of descriptors. */
#define IDENTITIES_MAX 256

/*
 * Fills `identities` (of `count`, at most IDENTITIES_MAX, all empty) with those of the open files `fds`, for which
 * O_PATH will do. If one is on btrfs and the kernel side doesn't know yet how to tell its subvolumes apart, it is told
 * first, if `kernel` was opened for writing. Returns 0 or -errno; clear `identities` in any case.
 */
int identify_files(const struct kernel *kernel, const int *fds, struct identity *identities, size_t count);

/* Frees what it holds; it is empty then. */
void identity_clear(struct identity *identity);

/*
 * Why no rule can name a binary there, and the remedy, as a constant text; NULL: one can. The hook judges by the
 * same flags.
 */
const char *identity_problem(const struct identity *identity);

#endif
