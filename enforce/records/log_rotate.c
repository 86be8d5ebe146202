/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rotates the lasting log, so that it can't fill the disk where no logrotate runs.
 */
#include "enforce/records/log_rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/cleanup.h"
#include "policy/text.h"

/* A rotated file is as it was, or compressed since. */
static const char *const suffixes[] = { "", ".gz" };
#define SUFFIXES 2

/* Returns the name of the file that was rotated `number` times, to be freed. */
static char *rotated_name(const char *name, unsigned number, const char *suffix)
{
	return number ? text_format("%s.%u%s", name, number, suffix) : text_format("%s%s", name, suffix);
}

/* The file that is written, number 0, isn't compressed. */
static int forms_of(unsigned number)
{
	return number ? SUFFIXES : 1;
}

static bool exists(int directory, const char *name, unsigned number)
{
	struct stat st;

	for (int i = 0; i < forms_of(number); i++) {
		_cleanup_free_ char *rotated = rotated_name(name, number, suffixes[i]);

		if (!fstatat(directory, rotated, &st, AT_SYMLINK_NOFOLLOW) || errno != ENOENT)
			return true;
	}
	return false;
}

/* Gives a file the next number, over the one that has it. Returns 0 or -errno. */
static int rename_rotated(int directory, const char *name, unsigned number)
{
	for (int i = 0; i < SUFFIXES; i++) {
		_cleanup_free_ char *from = rotated_name(name, number, suffixes[i]);
		_cleanup_free_ char *to = rotated_name(name, number + 1, suffixes[i]);

		if (i < forms_of(number) && !renameat(directory, from, directory, to))
			continue;
		if (i < forms_of(number) && errno != ENOENT)
			return -errno;
		/* The other form of the file that is overwritten goes, too. */
		if (unlinkat(directory, to, 0) && errno != ENOENT)
			return -errno;
	}
	return 0;
}

int log_rotate(int directory, const char *name, unsigned keep)
{
	unsigned free_number = 0;
	int error = 0;

	/* After a rotation that was cut short, a number below the oldest is free. */
	while (free_number < keep && exists(directory, name, free_number))
		free_number++;
	while (free_number-- > 0 && !error)
		error = rename_rotated(directory, name, free_number);
	return error;
}
