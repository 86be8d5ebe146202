/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads files of one line, of the kernel or of our own.
 */
#ifndef SOCKACCEPT_FIRST_LINE_H
#define SOCKACCEPT_FIRST_LINE_H

#include <stddef.h>

/*
 * Reads the first line of the regular file `path` into `line`, without its newline. Cuts it off so that it fits `size` bytes with the 0 at
 * its end. Never waits, whatever the path leads to. Returns 0 or -errno (-EINVAL: not a regular file); `line` is a string in any case.
 */
int first_line(const char *path, char *line, size_t size);

#endif
