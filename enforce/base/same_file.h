/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SOCKACCEPT_SAME_FILE_H
#define SOCKACCEPT_SAME_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

/* True if both are of one file, whatever it is called. Of files that are there at the same time: numbers are used again. */
static inline bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

#endif
