/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells whether two names are of one file.
 */
#ifndef SOCKACCEPT_SAME_FILE_H
#define SOCKACCEPT_SAME_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

/* Returns true if both are of one file. Both must exist at the same time: the kernel uses numbers of removed files again. */
static inline bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

#endif
