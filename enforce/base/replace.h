/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replaces files as a whole.
 */
#ifndef SOCKACCEPT_REPLACE_H
#define SOCKACCEPT_REPLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Writes `text` to the file `path`, whole or not at all, with the rights `mode` whatever the umask is. Makes `path`.new, in place of
 * whatever has that name, so that it follows nobody's link, and renames it. `durable` has it on the disk before it gets its name. Returns
 * 0, or -errno and leaves nothing behind.
 */
int replace_file(const char *path, const char *text, size_t length, mode_t mode, bool durable);

#endif
