/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unpacks files of the lasting log that logrotate has compressed with gzip.
 */
#ifndef SOCKACCEPT_LOG_UNPACK_H
#define SOCKACCEPT_LOG_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Returns true if the file begins as a compressed one does. */
bool log_is_packed(int fd);

/* Unpacks the first `room` bytes of a file into `text`. Returns how many bytes that are, also if the rest is damaged. */
size_t log_unpack_start(int fd, char *text, size_t room);

/*
 * Unpacks a file into a new file without a name, on disk: in /var/tmp, /tmp or `directory`, the first that has room. Sets *damaged if only
 * a part can be read; the new file has that part. Returns a descriptor of the new file, or -errno.
 */
int log_unpack(int fd, const char *directory, bool *damaged);

#endif
