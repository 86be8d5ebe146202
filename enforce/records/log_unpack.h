/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of the lasting log that were compressed with gzip, as logrotate does.
 */
#ifndef SOCKACCEPT_LOG_UNPACK_H
#define SOCKACCEPT_LOG_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Returns true if the file begins as a compressed one does. */
bool log_is_packed(int fd);

/* Unpacks the first `room` bytes of the text into `text`. Returns how many could be read. */
size_t log_unpack_start(int fd, char *text, size_t room);

/*
 * Unpacks a file into one without a name, on disk: in /var/tmp, /tmp or `directory`, whichever has room first. *damaged says
 * that not all of it can be read; what comes before is in the new file. Returns a descriptor of that, or -errno.
 */
int log_unpack(int fd, const char *directory, bool *damaged);

#endif
