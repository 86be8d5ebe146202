/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/last_good.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enforce/diagnostics_print.h"
#include "enforce/status.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/resolve.h"
#include "policy/source.h"

#define NEW_FILE LAST_GOOD_FILE ".new"

/* The policy as text; to be freed. NULL: it can't be written as a file. */
static char *text_of(const struct policy *policy, size_t *length)
{
	char *text = NULL;
	FILE *stream = must(open_memstream(&text, length));
	int error;

	fputs("; The last policy that was loaded from " DEFAULT_POLICY_BASE ". sockaccept-ctl keeps it for boots whose files are\n"
	      "; invalid: changes are lost.\n", stream);
	error = ini_write(policy, stream);
	fclose(stream);
	if (!error)
		return text;
	free(text);
	return NULL;
}

static bool is_kept(const char *text, size_t length)
{
	_cleanup_close_ int fd = open(LAST_GOOD_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_free_ char *there = malloc(length + 1);

	return fd >= 0 && there && read(fd, there, length + 1) == (ssize_t)length && !memcmp(there, text, length);
}

/* Returns 0 or -errno. */
static int write_new(const char *text, size_t length)
{
	_cleanup_close_ int fd = unlink(NEW_FILE) && errno != ENOENT ? -1 :
				 open(NEW_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t written;

	if (fd < 0)
		return -errno;
	written = write(fd, text, length);
	if (written != (ssize_t)length)
		return written < 0 ? -errno : -ENOSPC;
	return fsync(fd) ? -errno : 0;
}

void last_good_keep(const struct policy *policy)
{
	size_t length = 0;
	_cleanup_free_ char *text = text_of(policy, &length);
	int error = text ? 0 : -EINVAL;

	if (text && is_kept(text, length))
		return;
	if (!error && mkdir(STATE_DIR, 0700) && errno != EEXIST)
		error = -errno;
	if (!error)
		error = write_new(text, length);
	if (!error && rename(NEW_FILE, LAST_GOOD_FILE))
		error = -errno;
	if (!error)
		return;
	unlink(NEW_FILE);
	warn("can't keep the policy as " LAST_GOOD_FILE ", for boots whose policy is invalid: %s", strerror(-error));
}

bool last_good_read(struct policy *policy)
{
	struct diagnostics diagnostics = { 0 };
	bool valid;

	if (access(LAST_GOOD_FILE, F_OK) && errno == ENOENT)
		return false;
	source_read(LAST_GOOD_FILE, false, policy, &diagnostics);
	if (!diagnostics.errors)
		resolve_policy(policy, false, &diagnostics);
	diagnostics_drop_warnings(&diagnostics);
	diagnostics_print(&diagnostics);
	valid = !diagnostics.errors;
	diagnostics_clear(&diagnostics);
	return valid;
}
