/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes a new file beside the old one and renames it, so that a reader finds the one or the other.
 */
#include "enforce/base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/cleanup.h"
#include "policy/text.h"

/* Returns 0 or -errno. */
static int write_new(const char *path, const char *text, size_t length, mode_t mode, bool durable)
{
	_cleanup_close_ int fd = unlink(path) && errno != ENOENT ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	ssize_t written;

	if (fd < 0 || fchmod(fd, mode))
		return -errno;
	written = write(fd, text, length);
	if (written < 0)
		return -errno;
	if ((size_t)written < length)
		return -ENOSPC;
	return durable && fsync(fd) ? -errno : 0;
}

int replace_file(const char *path, const char *text, size_t length, mode_t mode, bool durable)
{
	_cleanup_free_ char *new = text_format("%s.new", path);
	int error = write_new(new, text, length, mode, durable);

	if (!error && rename(new, path))
		error = -errno;
	if (error)
		unlink(new);
	return error;
}
