/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of one line, of the kernel or of our own.
 */
#ifndef SOCKACCEPT_FIRST_LINE_H
#define SOCKACCEPT_FIRST_LINE_H

#include <stddef.h>

/*
 * Reads the first line of the regular file `path` into `line`, without its end, and cut off to `size` bytes, the 0 at its
 * end included. Never waits, whatever the path leads to. Returns 0 or -errno (-EINVAL: no regular file); `line` is a
 * string in any case.
 */
int first_line(const char *path, char *line, size_t size);

#endif
