/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads what a BPF iterator writes: records of one size.
 */
#ifndef SOCKACCEPT_ITERATE_H
#define SOCKACCEPT_ITERATE_H

#include <stddef.h>

/*
 * Runs the iterator program that is open as `program` over all objects, and calls take(record, data) for each record, of `size` bytes (at
 * most 4096), that it writes. Returns 0 or -errno; take() can have been called before an error.
 */
int iterate(int program, size_t size, void (*take)(const void *record, void *data), void *data);

/* Runs an iterator program of files, as iterate() does, over the open files of this thread alone. */
int iterate_own_files(int program, size_t size, void (*take)(const void *record, void *data), void *data);

#endif
