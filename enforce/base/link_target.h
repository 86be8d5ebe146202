/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads symbolic links.
 */
#ifndef SOCKACCEPT_LINK_TARGET_H
#define SOCKACCEPT_LINK_TARGET_H

/* The kernel adds this to the target of /proc/PID/exe when that file has lost its name (proc(5)). */
#define UNLINKED_SUFFIX " (deleted)"

/* Returns the target of the symbolic link `path`, to be freed. Returns NULL and sets errno if it can't be read. */
char *link_target(const char *path);

/* Returns the executable of process `pid`, in the same way. */
char *executable_path(unsigned pid);

#endif
