/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that are replaced as a whole.
 */
#ifndef SOCKACCEPT_REPLACE_H
#define SOCKACCEPT_REPLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Puts `text` into the file `path`, whole or not at all, with these rights whatever the umask: by way of `path`.new, which is
 * made anew, so that nobody's link is followed. `durable`: it is on the disk before it has the name. Returns 0 or -errno;
 * nothing is left then.
 */
int replace_file(const char *path, const char *text, size_t length, mode_t mode, bool durable);

#endif
