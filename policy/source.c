/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the files of a policy, judges whether they can be trusted, and has them read.
 */
#include "policy/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/cleanup.h"
#include "policy/grow.h"
#include "policy/ini.h"
#include "policy/resolve.h"
#include "policy/text.h"

/* Of all files together. */
#define ERRORS_SHOWN 100

#define POLICY_FILE "policy.ini"
#define POLICY_DIR "policy.d"

struct source {
	bool lenient;
	struct policy *policy;
	struct diagnostics *diagnostics;
	struct ini_settings settings;
};

struct names {
	char **list;
	size_t count;
};

static const char *open_remedy(int error)
{
	switch (error) {
	case ENOENT: return "create it or correct its name";
	case EACCES:
	case EPERM: return "run this as root";
	case ELOOP: return "fix its symbolic links";
	case EMFILE:
	case ENFILE: return "close other files first";
	default: return "name a regular file or a directory of them";
	}
}

static void report_open(struct source *s, const char *shown, int error)
{
	diagnostics_error(s->diagnostics, shown, 0, "cannot be opened: %s; %s", strerror(error), open_remedy(error));
}

/*
 * Opens a file or a directory, and looks at it. Returns the descriptor, or -1 when it has reported why not. Does not wait for
 * anybody: a FIFO would wait for its writer, and a terminal would become ours.
 */
static int open_at(struct source *s, int directory, const char *name, const char *shown, struct stat *st)
{
	_cleanup_close_ int fd = openat(directory, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0 && fstat(fd, st) == 0)
		return TAKE_FD(fd);
	report_open(s, shown, errno);
	return -1;
}

char *source_judge(const struct stat *st)
{
	if (st->st_uid != 0)
		return text_format("belongs to user %u, not to root; chown root it", st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return text_format("can be written by %s (mode %04o); chmod go-w it", st->st_mode & S_IWOTH ? "anyone" : "its group",
				   st->st_mode & 07777);
	return NULL;
}

static bool judge(struct source *s, const char *shown, const struct stat *st)
{
	_cleanup_free_ char *problem = source_judge(st);

	if (!problem)
		return true;
	if (s->lenient)
		diagnostics_machine(s->diagnostics, shown, 0, "%s, or it will not load", problem);
	else
		diagnostics_error(s->diagnostics, shown, 0, "%s", problem);
	return s->lenient;
}

/* Judges and reads a file. Takes `fd` over. */
static void read_file(struct source *s, int fd, const struct stat *st, const char *shown)
{
	_cleanup_close_ int owned = fd;
	_cleanup_fclose_ FILE *stream = NULL;

	if (!judge(s, shown, st))
		return;
	if (st->st_size > SOURCE_MAX_BYTES) {
		diagnostics_error(s->diagnostics, shown, 0, "the file is over %ld MiB; a policy takes less", SOURCE_MAX_BYTES >> 20);
		return;
	}
	stream = fdopen(owned, "r");
	if (!stream)
		abort();
	TAKE_FD(owned);
	ini_read(stream, shown, &s->settings, s->policy, s->diagnostics);
}

/* Reads a file in a directory. It must be a regular one: nobody would read directories in it. */
static void read_entry(struct source *s, int directory, const char *name, const char *shown)
{
	struct stat st;
	_cleanup_close_ int fd = open_at(s, directory, name, shown, &st);

	if (fd < 0)
		return;
	if (!S_ISREG(st.st_mode))
		diagnostics_error(s->diagnostics, shown, 0, "is %s; a policy is a regular file", file_kind(st.st_mode));
	else
		read_file(s, TAKE_FD(fd), &st, shown);
}

/* ---------------------------------------------------------------------------------------------
 * Directories
 */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void clear_names(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
}

static bool is_ini(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > 4 && strcmp(name + length - 4, ".ini") == 0;
}

/* Lists the *.ini files in a directory, in the byte order of their names, whatever the locale. Returns 0 or -errno. */
static int list_directory(int fd, struct names *names)
{
	_cleanup_closedir_ DIR *directory = NULL;
	_cleanup_close_ int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;

	if (own < 0)
		return -errno;
	directory = fdopendir(own);
	if (!directory)
		return -errno;
	TAKE_FD(own);
	for (errno = 0; (entry = readdir(directory)); errno = 0)
		if (is_ini(entry->d_name))
			APPEND(names->list, names->count, must(strdup(entry->d_name)));
	if (errno)
		return -errno;
	if (names->count)
		qsort(names->list, names->count, sizeof(*names->list), compare_names);
	return 0;
}

static void read_names(struct source *s, int fd, const char *shown, const struct names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		_cleanup_free_ char *path = path_join(shown, names->list[i]);

		if (s->diagnostics->errors >= ERRORS_SHOWN) {
			diagnostics_error(s->diagnostics, path, 0, "not read, nor what follows it: too many errors; fix those above first");
			return;
		}
		read_entry(s, fd, names->list[i], path);
	}
}

/* Reads the *.ini files of a directory. */
static void read_flat(struct source *s, int fd, const char *shown, bool may_be_empty)
{
	struct names names = { 0 };
	int error = list_directory(fd, &names);

	if (error)
		report_open(s, shown, -error);
	else if (!names.count && !may_be_empty)
		diagnostics_error(s->diagnostics, shown, 0, "no *.ini in this directory; create one, such as %s", POLICY_FILE);
	else
		read_names(s, fd, shown, &names);
	clear_names(&names);
}

static bool has_entry(int fd, const char *name)
{
	struct stat st;

	/* Any other error is reported when it is opened. */
	return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

/* Warns of files beside policy.ini: they aren't read, and their owner should know. */
static void warn_of_others(struct source *s, int fd, const char *shown)
{
	struct names names = { 0 };

	if (list_directory(fd, &names) == 0) {
		for (size_t i = 0; i < names.count; i++) {
			_cleanup_free_ char *path = path_join(shown, names.list[i]);

			if (strcmp(names.list[i], POLICY_FILE) != 0)
				diagnostics_warning(s->diagnostics, path, 0, "not read; move it to " POLICY_DIR "/");
		}
	}
	clear_names(&names);
}

static void read_drop_ins(struct source *s, int fd, const char *shown, bool may_be_empty)
{
	_cleanup_free_ char *path = path_join(shown, POLICY_DIR);
	struct stat st;
	_cleanup_close_ int drop_ins = open_at(s, fd, POLICY_DIR, path, &st);

	if (drop_ins < 0)
		return;
	if (!S_ISDIR(st.st_mode))
		diagnostics_error(s->diagnostics, path, 0, "is %s; make it a directory",
				  S_ISREG(st.st_mode) ? "a file" : file_kind(st.st_mode));
	else if (judge(s, path, &st))
		read_flat(s, drop_ins, path, may_be_empty);
}

/* Reads a directory with policy.ini, policy.d or both in it. */
static void read_layout(struct source *s, int fd, const char *shown)
{
	bool file = has_entry(fd, POLICY_FILE);

	if (file) {
		_cleanup_free_ char *path = path_join(shown, POLICY_FILE);

		read_entry(s, fd, POLICY_FILE, path);
	}
	if (has_entry(fd, POLICY_DIR))
		read_drop_ins(s, fd, shown, file);
	warn_of_others(s, fd, shown);
}

static void read_directory(struct source *s, int fd, const struct stat *st, const char *shown)
{
	if (!judge(s, shown, st))
		return;
	if (has_entry(fd, POLICY_FILE) || has_entry(fd, POLICY_DIR))
		read_layout(s, fd, shown);
	else
		read_flat(s, fd, shown, false);
}

/* ---------------------------------------------------------------------------------------------
 * The source
 */

static void read_given(struct source *s, const char *path)
{
	struct stat st;
	_cleanup_close_ int fd = open_at(s, AT_FDCWD, path, path, &st);

	if (fd < 0)
		return;
	if (S_ISREG(st.st_mode))
		read_file(s, TAKE_FD(fd), &st, path);
	else if (S_ISDIR(st.st_mode))
		read_directory(s, fd, &st, path);
	else
		diagnostics_error(s->diagnostics, path, 0, "is %s; name a regular file or a directory", file_kind(st.st_mode));
}

static void read_default(struct source *s)
{
	struct stat st;

	if (lstat(DEFAULT_POLICY_FILE, &st) == 0 || errno != ENOENT || lstat(DEFAULT_POLICY_DIR, &st) == 0 || errno != ENOENT)
		read_given(s, DEFAULT_POLICY_BASE);
	else
		diagnostics_error(s->diagnostics, DEFAULT_POLICY_FILE, 0,
				  "there is no policy; create this file (an empty one allows everything) or "
				  "*.ini files in " DEFAULT_POLICY_DIR);
}

void source_read(const char *path, enum purpose purpose, struct policy *policy, struct diagnostics *diagnostics)
{
	struct source s = { .lenient = purpose == READ_FOR_CHECK || purpose == READ_OFFLINE,
			    .policy = policy,
			    .diagnostics = diagnostics,
			    .settings.at_boot = purpose == READ_AT_BOOT || purpose == READ_OFFLINE };

	diagnostics->offline = purpose == READ_OFFLINE;

	if (path)
		read_given(&s, path);
	else
		read_default(&s);
	ini_settings_clear(&s.settings);
}
