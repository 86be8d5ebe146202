/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SOCKACCEPT_LINK_TARGET_H
#define SOCKACCEPT_LINK_TARGET_H

/* What the kernel adds to the target of /proc/PID/exe when that file has lost its name (proc(5)). */
#define UNLINKED_SUFFIX " (deleted)"

/* What the symbolic link `path` says, to be freed; NULL: errno says why it can't be read. */
char *link_target(const char *path);

/* The executable of process `pid`, in the same way. */
char *executable_path(unsigned pid);

#endif
