/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lock is on a file in a directory that only root can enter: whoever can open a file can hold a lock on it.
 */
#include "enforce/change/change_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enforce/kernel/locked.h"
#include "enforce/kernel/take_over.h"
#include "policy/cleanup.h"

#define LOCK_FILE RUNTIME_DIR "/lock"

static enum status check_directory(void)
{
	struct stat st;

	if (mkdir(RUNTIME_DIR, 0700) && errno != EEXIST)
		return fail(errno == EACCES ? STATUS_NOT_PERMITTED : STATUS_FAILED, "%s: %s; run it as root", RUNTIME_DIR, strerror(errno));
	if (lstat(RUNTIME_DIR, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 077)
		return fail(STATUS_NOT_PERMITTED, "%s isn't a directory of user %u with mode 0700; remove it", RUNTIME_DIR,
			    (unsigned)geteuid());
	return STATUS_DONE;
}

bool change_lock_try(int *fd)
{
	*fd = open(LOCK_FILE, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	return *fd >= 0 && !flock(*fd, LOCK_EX | LOCK_NB);
}

enum status change_lock_take(int *fd)
{
	enum status status = check_directory();
	_cleanup_close_ int file = -1;

	if (status != STATUS_DONE)
		return status;
	file = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0)
		return fail(STATUS_FAILED, "%s: %s", LOCK_FILE, strerror(errno));
	while (flock(file, LOCK_EX))
		if (errno != EINTR)
			return fail(STATUS_FAILED, "%s: %s", LOCK_FILE, strerror(errno));
	*fd = TAKE_FD(file);
	return STATUS_DONE;
}

void change_lock_clear_remains(void)
{
	_cleanup_close_ int lock = -1;

	if (locked_has_remains() && change_lock_try(&lock))
		locked_remove_remains();
}

enum status change_begin(int *fd)
{
	enum status status = change_lock_take(fd);

	if (status != STATUS_DONE)
		return status;
	locked_remove_remains();
	return take_over_clean();
}
