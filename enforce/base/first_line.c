/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a file without trusting what its path leads to.
 */
#include "enforce/base/first_line.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/cleanup.h"

int first_line(const char *path, char *line, size_t size)
{
	/* without these flags, a FIFO would wait for its other end, and a terminal could become the one that controls this process */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	ssize_t length;

	line[0] = '\0';
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	length = read(fd, line, size - 1);
	if (length < 0)
		return -errno;
	line[length] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return 0;
}
