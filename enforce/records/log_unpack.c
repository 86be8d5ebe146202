/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unpacks with zlib. The text goes to a file, as reading needs to go to any place in it.
 */
#include "enforce/records/log_unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include "policy/cleanup.h"

#define BLOCK_BYTES 65536U

bool log_is_packed(int fd)
{
	unsigned char magic[2];

	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) && magic[0] == 0x1f && magic[1] == 0x8b;
}

/* Opens the file from its start. Returns NULL and sets errno if that fails. */
static gzFile open_stream(int fd)
{
	_cleanup_close_ int again = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	gzFile stream;

	if (again < 0 || lseek(again, 0, SEEK_SET) < 0)
		return NULL;
	stream = gzdopen(again, "rb");
	if (stream)
		(void)TAKE_FD(again);
	return stream;
}

size_t log_unpack_start(int fd, char *text, size_t room)
{
	gzFile stream = open_stream(fd);
	size_t got = 0;
	int length = 0;

	while (stream && !gzdirect(stream) && got < room && (length = gzread(stream, text + got, (unsigned)(room - got))) > 0)
		got += (size_t)length;
	if (stream)
		gzclose(stream);
	return got;
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t written = write(fd, text, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		text += written;
		length -= (size_t)written;
	}
	return 0;
}

/* Returns 0 or -errno. What zlib can't read is damage; an error of the kernel, such as EIO, is an error. */
static int copy(gzFile stream, int to, bool *damaged)
{
	char block[BLOCK_BYTES];
	int length, problem, error = 0;

	/* zlib would copy a file that isn't compressed. */
	if (gzdirect(stream)) {
		*damaged = true;
		return 0;
	}
	while (!error && (length = gzread(stream, block, sizeof(block))) > 0)
		error = write_all(to, block, (size_t)length);
	gzerror(stream, &problem);
	*damaged = problem == Z_DATA_ERROR || problem == Z_BUF_ERROR;
	if (!error && problem == Z_ERRNO)
		error = errno ? -errno : -EIO;
	if (!error && problem == Z_MEM_ERROR)
		error = -ENOMEM;
	return error;
}

/* Returns a descriptor or -errno. */
static int unpack_into(int fd, const char *directory, bool *damaged)
{
	_cleanup_close_ int to = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	gzFile stream;
	int error;

	if (to < 0)
		return -errno;
	stream = open_stream(fd);
	if (!stream)
		return -errno;
	error = copy(stream, to, damaged);
	gzclose(stream);
	return error ? error : TAKE_FD(to);
}

int log_unpack(int fd, const char *directory, bool *damaged)
{
	const char *const directories[] = { "/var/tmp", "/tmp", directory };
	int result = -EINVAL;

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]) && result < 0; i++)
		result = unpack_into(fd, directories[i], damaged);
	return result;
}
