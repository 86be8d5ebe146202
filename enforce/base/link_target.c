/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads symbolic links, also those of /proc, whose length lstat() does not tell.
 */
#include "enforce/base/link_target.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "policy/cleanup.h"
#include "policy/text.h"

char *link_target(const char *path)
{
	char target[PATH_MAX + sizeof(UNLINKED_SUFFIX)];
	ssize_t length = readlink(path, target, sizeof(target) - 1);

	if (length < 0)
		return NULL;
	target[length] = '\0';
	return must(strdup(target));
}

char *executable_path(unsigned pid)
{
	_cleanup_free_ char *link = text_format("/proc/%u/exe", pid);

	return link_target(link);
}
