/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opens all files of the lasting log at once, so that a rotation in between neither hides a line nor shows it twice.
 */
#include "enforce/records/log_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enforce/records/log_names.h"
#include "enforce/records/log_unpack.h"
#include "policy/cleanup.h"
#include "policy/text.h"

static bool is_open_already(const struct log_files *files, ino_t inode)
{
	for (size_t i = 0; i < files->count; i++)
		if (files->list[i].inode == inode)
			return true;
	return false;
}

off_t log_end_of_lines(int fd, off_t size)
{
	char block[4096];

	while (size > 0) {
		off_t from = size > (off_t)sizeof(block) ? size - (off_t)sizeof(block) : 0;
		ssize_t length = pread(fd, block, (size_t)(size - from), from);
		const char *newline;

		if (length <= 0)
			return length ? -errno : 0;
		newline = memrchr(block, '\n', (size_t)length);
		if (newline)
			return from + (newline - block) + 1;
		size = from;
	}
	return 0;
}

/*
 * Adds the file `name`, if it isn't open yet. Skips a file that has gone since: it was the oldest, or has another name now. Skips a
 * file that this process may not read, unless it is the log itself. Returns 0 or -errno.
 */
static int open_file(struct log_files *files, int directory, const char *log, const char *name)
{
	_cleanup_close_ int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	struct log_file file;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 && errno == EACCES && strcmp(name, log) != 0) {
		files->unreadable++;
		return 0;
	}
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (is_open_already(files, st.st_ino))
		return 0;
	file = (struct log_file){ .fd = fd, .inode = st.st_ino, .unpacked = -1 };
	file.packed = log_is_packed(fd) || log_name_is_packed(name);
	if (!file.packed)
		file.size = log_end_of_lines(fd, st.st_size);
	if (file.size < 0)
		return (int)file.size;
	file.fd = TAKE_FD(fd);
	file.name = must(strdup(name));
	files->list = must(reallocarray(files->list, files->count + 1, sizeof(*files->list)));
	files->list[files->count++] = file;
	return 0;
}

static void drop_unpacked(struct log_file *file)
{
	if (file->unpacked >= 0)
		close(file->unpacked);
	file->unpacked = -1;
}

static void close_files(struct log_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		close(files->list[i].fd);
		drop_unpacked(&files->list[i]);
		free(files->list[i].name);
	}
	free(files->list);
	files->list = NULL;
	files->count = 0;
	files->unreadable = 0;
	files->foreign = 0;
}

/* Returns true if each file that is there now is open, or this process may not open it. */
static bool are_open(const struct log_files *files, int directory, const struct log_names *names)
{
	struct stat st;

	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->list[i].text;

		if (names->list[i].foreign)
			continue;
		if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW))
			return false;
		if (!is_open_already(files, st.st_ino) && (!faccessat(directory, name, R_OK, AT_EACCESS) || errno != EACCES))
			return false;
	}
	return true;
}

size_t log_file_first_line(const struct log_file *file, char text[LOG_LINE_MAX])
{
	ssize_t length = file->packed ? (ssize_t)log_unpack_start(file->fd, text, LOG_LINE_MAX) : pread(file->fd, text, LOG_LINE_MAX, 0);
	const char *end = length > 0 ? memchr(text, '\n', (size_t)length) : NULL;

	return end ? (size_t)(end - text) : 0;
}

/*
 * Returns true if `packed` is a copy of `text`: gzip is making it, or was stopped before it removed the text, which it does when the
 * compressed file is whole.
 */
static bool is_copy(const struct log_file *packed, const struct log_file *text)
{
	_cleanup_free_ char *first = must(malloc(LOG_LINE_MAX)), *second = must(malloc(LOG_LINE_MAX));
	size_t length;

	if (!packed->packed || text->packed || !log_name_is_packed_form(packed->name, text->name))
		return false;
	length = log_file_first_line(packed, first);
	return !length || (length == log_file_first_line(text, second) && !memcmp(first, second, length));
}

/* Ignores compressed files whose text is still there: their lines would be read twice. */
static void drop_copies(struct log_files *files)
{
	for (size_t i = 1; i < files->count; i++)
		if (is_copy(&files->list[i - 1], &files->list[i]))
			files->list[i - 1].packed = false;
}

/* Opens all files. Returns 0 or -errno; -EAGAIN if files were renamed in between, and one may be missing. */
static int open_files(struct log_files *files, int directory, const char *log)
{
	struct log_names names = { 0 }, again = { 0 };
	int error = log_names_find(directory, log, &names);

	for (size_t i = 0; i < names.count && !error; i++) {
		if (names.list[i].foreign)
			files->foreign++;
		else
			error = open_file(files, directory, log, names.list[i].text);
	}
	drop_copies(files);
	if (!error)
		error = log_names_find(directory, log, &again);
	if (!error && !are_open(files, directory, &again))
		error = -EAGAIN;
	log_names_clear(&names);
	log_names_clear(&again);
	return error;
}

/* Raises the limit of descriptors: a log may have more files than the usual 1024. */
static void allow_many_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int log_files_open(struct log_files *files, const char *path)
{
	const char *slash = strrchr(path, '/'), *log = slash ? slash + 1 : path;
	_cleanup_free_ char *parent = slash ? text_format("%.*s", (int)(slash - path) + 1, path) : text_format("./");
	_cleanup_close_ int directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int error = -EAGAIN;

	*files = (struct log_files){ 0 };
	if (directory < 0)
		return errno == ENOENT ? 0 : -errno;
	files->directory = TAKE_PTR(parent);
	allow_many_files();
	for (int tries = 0; tries < 10 && error == -EAGAIN; tries++) {
		close_files(files);
		error = open_files(files, directory, log);
	}
	return error;
}

void log_files_close(struct log_files *files)
{
	close_files(files);
	free(files->directory);
	*files = (struct log_files){ 0 };
}

bool log_files_have_text(const struct log_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		if (files->list[i].size || files->list[i].packed)
			return true;
	return false;
}

int log_files_unpack(struct log_files *files, size_t index)
{
	struct log_file *file = &files->list[index];
	bool damaged = false;
	off_t size;
	int fd;

	if (!file->packed || file->unpacked >= 0)
		return 0;
	for (size_t i = 0; i < files->count; i++)
		drop_unpacked(&files->list[i]);
	fd = log_unpack(file->fd, files->directory, &damaged);
	if (fd < 0)
		return fd;
	file->unpacked = fd;
	size = log_end_of_lines(fd, lseek(fd, 0, SEEK_END));
	if (size < 0)
		return (int)size;
	file->size = size;
	if (damaged && !file->damaged && files->tell)
		files->tell("%s%s is damaged: only %lld bytes of its text can be read", files->directory, file->name, (long long)size);
	file->damaged = file->damaged || damaged;
	return 0;
}
