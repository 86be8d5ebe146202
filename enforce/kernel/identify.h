/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks the kernel side which directory entry an open file is. It answers with the function that the hook uses, so that user space and
 * the hook can't differ.
 */
#ifndef SOCKACCEPT_IDENTIFY_H
#define SOCKACCEPT_IDENTIFY_H

#include <stddef.h>

#include "enforce/kernel/kernel.h"

typedef char file_name[sizeof(((struct file_identity *)0)->name)];

/* Zero-initialised is empty. */
struct identity {
	__u32 flags;                /* enum file_flag; FILE_ROOT: `steps` is complete */
	uint32_t binary;            /* the number of its entry; BINARY_ANY: no rule has named it */
	struct directory directory; /* the directory itself, or the one that the file is in */
	file_name name;             /* by which it was opened */
	__u64 dentry;               /* the kernel's address of its entry */
	file_name *steps;           /* FILE_BY_NAMES: the names of the directory, of the one above it, and so on */
	size_t step_count;
};

/* How many files identify_files() takes at a time: far below the usual limit of descriptors. */
#define IDENTITIES_MAX 256

/*
 * Fills `identities` with those of the open files `fds`: both have `count` elements, at most IDENTITIES_MAX, and identities start empty.
 * O_PATH is enough for the files. If one is on btrfs and the kernel side can't tell subvolumes apart yet, first tells it how, if `kernel`
 * was opened for writing. Returns 0 or -errno; call identity_clear() on each in any case.
 */
int identify_files(const struct kernel *kernel, const int *fds, struct identity *identities, size_t count);

/* Frees what `identity` holds, and leaves it empty. */
void identity_clear(struct identity *identity);
#define _cleanup_identity_ __attribute__((cleanup(identity_clear)))

/*
 * Returns why no rule can name a binary there, and the remedy, as a constant text, or NULL if a rule can. The hook judges by the same
 * flags.
 */
const char *identity_problem(const struct identity *identity);

#endif
