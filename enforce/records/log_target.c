/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opens the log safely: follows no link, and lets one process write it.
 */
#include "enforce/records/log_target.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enforce/base/same_file.h"
#include "enforce/records/log_files.h"
#include "policy/cleanup.h"
#include "policy/text.h"

const char *log_target_name(const struct log_target *target)
{
	const char *slash = strrchr(target->path, '/');

	return slash ? slash + 1 : target->path;
}

/* Returns the directory that the log's path gives, to be freed. */
static char *directory_path(const struct log_target *target)
{
	const char *slash = strrchr(target->path, '/');

	return slash ? text_format("%.*s", (int)(slash - target->path) + (slash == target->path), target->path) : text_format(".");
}

/* Locks a file that nobody else can open, so that nobody else can hold the lock. */
static enum status take_lock(struct log_target *target)
{
	_cleanup_free_ char *name = text_format(".%s.lock", log_target_name(target));

	target->lock = openat(target->directory, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (target->lock < 0)
		return fail(STATUS_FAILED, "can't lock %s: %s", target->path, strerror(errno));
	if (flock(target->lock, LOCK_EX | LOCK_NB))
		return fail(STATUS_FAILED, "another daemon writes %s already; stop it first, or name another log with --log", target->path);
	return STATUS_DONE;
}

static enum status open_directory(struct log_target *target)
{
	_cleanup_free_ char *path = directory_path(target);

	if (mkdir(path, 0750) && errno != EEXIST)
		return fail(STATUS_FAILED, "can't make %s: %s; make it, or name another log with --log", path, strerror(errno));
	target->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (target->directory < 0)
		return fail(STATUS_FAILED, "%s: %s; name another log with --log", path, strerror(errno));
	return take_lock(target);
}

enum status log_target_cannot_open(const struct log_target *target, int error)
{
	return fail(STATUS_FAILED, "%s: %s", target->path, error == -EINVAL ? "isn't a plain file; remove it" : strerror(-error));
}

int log_target_open_file(struct log_target *target)
{
	_cleanup_close_ int fd = openat(target->directory, log_target_name(target),
					O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0640);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (target->fd >= 0)
		close(target->fd);
	target->fd = TAKE_FD(fd);
	target->size = st.st_size;
	return 0;
}

static enum status open_directory_and_file(struct log_target *target)
{
	enum status status = open_directory(target);
	int error;

	if (status != STATUS_DONE)
		return status;
	error = log_target_open_file(target);
	return error ? log_target_cannot_open(target, error) : STATUS_DONE;
}

enum status log_target_open(struct log_target *target, const char *path)
{
	target->path = path;
	return open_directory_and_file(target);
}

static void close_directory(struct log_target *target)
{
	if (target->directory >= 0)
		close(target->directory);
	if (target->lock >= 0)
		close(target->lock);
	target->directory = target->lock = -1;
}

void log_target_close(struct log_target *target)
{
	if (target->fd >= 0)
		close(target->fd);
	close_directory(target);
	*target = (struct log_target)LOG_TARGET_INIT;
}

bool log_target_has_name(const struct log_target *target)
{
	struct stat named, written;

	return !lstat(target->path, &named) && !fstat(target->fd, &written) && is_same_file(&named, &written);
}

/* Returns true if the log's path still leads to the directory that is open. */
static bool directory_has_name(const struct log_target *target)
{
	_cleanup_free_ char *path = directory_path(target);
	struct stat named, open;

	return !stat(path, &named) && !fstat(target->directory, &open) && is_same_file(&named, &open);
}

enum status log_target_open_anew(struct log_target *target)
{
	struct log_target old = *target;
	enum status status;
	int error;

	if (directory_has_name(target)) {
		error = log_target_open_file(target);
		return error ? log_target_cannot_open(target, error) : STATUS_DONE;
	}
	target->directory = target->lock = -1;
	status = open_directory_and_file(target);
	if (status == STATUS_DONE) {
		close_directory(&old);
		return status;
	}
	close_directory(target);
	target->directory = old.directory;
	target->lock = old.lock;
	return status;
}

int log_target_cut_off_rest(struct log_target *target)
{
	off_t size = log_end_of_lines(target->fd, target->size);

	if (size < 0)
		return (int)size;
	if (size < target->size && ftruncate(target->fd, size))
		return -errno;
	target->size = size;
	return 0;
}
