/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the path that a rule gives to the directory entry that it stands for.
 */
#include "policy/resolve.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/cleanup.h"
#include "policy/text.h"

/* As many as the kernel follows. */
#define LINKS_FOLLOWED 40
/* Files are replaced while we look: so often is it tried to find one that neither comes nor goes meanwhile. */
#define TRIES 100

char *path_join(const char *directory, const char *name)
{
	size_t length = strlen(directory);

	return text_format("%s%s%s", directory, length && directory[length - 1] == '/' ? "" : "/", name);
}

const char *file_kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	default:
		return "no regular file";
	}
}

static bool is_directory_name(const char *name)
{
	return !*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Each of the following returns 0, or -errno with a message that is to be freed. */

static int fail(char **message, int error, char *text)
{
	*message = text;
	return error;
}

static int fail_on_way(char **message, const char *path, const char *directory, int error)
{
	if (error == ENOENT)
		return fail(message, -error,
			    text_format("%s: there is no directory %s; create it or correct the path", path,
					directory));
	if (error == ENOTDIR)
		return fail(message, -error,
			    text_format("%s: what should be a directory in it is none; correct the path",
					path));
	if (error == EACCES)
		return fail(message, -error,
			    text_format("%s: cannot be looked up: %s; run this as root", path,
					strerror(error)));
	return fail(message, -error,
		    text_format("%s: cannot be looked up: %s; correct the path", path, strerror(error)));
}

static int check_present(const char *path, const char *real, struct stat *st, char **message)
{
	if (stat(real, st) < 0)
		return errno == ENOENT ? -EAGAIN : fail_on_way(message, path, real, errno);
	if (S_ISDIR(st->st_mode))
		return fail(message, -EISDIR, text_format("%s: is a directory; name the file in it", path));
	if (!S_ISREG(st->st_mode))
		return fail(message, -EINVAL,
			    text_format("%s: is %s; name a program's file", path, file_kind(st->st_mode)));
	return 0;
}

/* The directory part of `path`, resolved, and the name in it. `shown` is the path that the rule gives. */
static int split(const char *shown, const char *path, char **directory, char **name, char **message)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent = NULL;

	if (!slash || is_directory_name(slash + 1))
		return fail(message, -EISDIR,
			    text_format("%s: does not end in a file's name; name the file", shown));
	parent = text_format("%.*s", slash == path ? 1 : (int)(slash - path), path);
	*directory = realpath(parent, NULL);
	if (!*directory)
		return fail_on_way(message, shown, parent, errno);
	*name = text_format("%s", slash + 1);
	return 0;
}

/* Where the symbolic link leads, as a path; NULL with errno. */
static char *follow(const char *link, const char *directory)
{
	char target[PATH_MAX];
	ssize_t length = readlink(link, target, sizeof(target) - 1);

	if (length < 0)
		return NULL;
	target[length] = '\0';
	return target[0] == '/' ? text_format("%s", target) : path_join(directory, target);
}

/*
 * The file isn't there. Its name stands for an entry of its directory all the same, and a link that leads
 * nowhere yet for the entry that it will lead to.
 */
static int resolve_missing(const char *path, char **resolved, char **message)
{
	_cleanup_free_ char *at = text_format("%s", path);

	for (int links = 0; links < LINKS_FOLLOWED; links++) {
		_cleanup_free_ char *directory = NULL, *name = NULL, *entry = NULL;
		char *target;
		int error = split(path, at, &directory, &name, message);

		if (error)
			return error;
		entry = path_join(directory, name);
		target = follow(entry, directory);
		if (!target && errno == ENOENT) {
			*resolved = TAKE_PTR(entry);
			return 0;
		}
		if (!target && errno == EINVAL)
			return -EAGAIN;
		if (!target)
			return fail_on_way(message, path, entry, errno);
		free(at);
		at = target;
	}
	return fail_on_way(message, path, path, ELOOP);
}

/* As resolve(), but -EAGAIN, with no message, if the file came or went meanwhile. */
static int resolve_once(const char *path, char **resolved, struct stat *st, char **message)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	int error;

	if (!real && errno == ENOENT)
		return resolve_missing(path, resolved, message);
	if (!real)
		return fail_on_way(message, path, path, errno);
	error = check_present(path, real, st, message);
	if (error)
		return error;
	*resolved = TAKE_PTR(real);
	return 0;
}

/* *st: of the file; its mode stays as it is if the file isn't there. */
static int resolve(const char *path, char **resolved, struct stat *st, char **message)
{
	for (int tries = 0; tries < TRIES; tries++) {
		int error = resolve_once(path, resolved, st, message);

		if (error != -EAGAIN)
			return error;
	}
	return fail_on_way(message, path, path, EAGAIN);
}

char *resolve_path(const char *path, char **resolved, bool *missing)
{
	struct stat st = { 0 };
	char *message = NULL;

	if (!resolve(path, resolved, &st, &message))
		*missing = !st.st_mode;
	return message;
}

/* The directory of the last binary: most have the same, and need not be resolved from the root each time. */
struct last_directory {
	char *given, *resolved;
};

static size_t directory_bytes(const char *path)
{
	return (size_t)(strrchr(path, '/') - path);
}

static void remember_directory(struct last_directory *last, const char *path)
{
	char *given = text_format("%.*s", (int)directory_bytes(path), path);

	free(last->given);
	free(last->resolved);
	last->given = given;
	last->resolved = realpath(*given ? given : "/", NULL);
}

/* Resolves `path` if it is a plain file, or nothing yet, in the last directory. Returns false if it isn't. */
static bool resolve_in_last(const struct last_directory *last, const char *path, char **resolved, struct stat *st)
{
	_cleanup_free_ char *entry = NULL;
	struct stat seen = { 0 };

	if (!last->resolved || strlen(last->given) != directory_bytes(path) ||
	    strncmp(last->given, path, directory_bytes(path)) != 0 || is_directory_name(strrchr(path, '/') + 1))
		return false;
	entry = path_join(last->resolved, strrchr(path, '/') + 1);
	if (lstat(entry, &seen) ? errno != ENOENT : !S_ISREG(seen.st_mode))
		return false;
	*st = seen;
	*resolved = TAKE_PTR(entry);
	return true;
}

static void resolve_binary(struct binary *binary, bool lenient, struct last_directory *last,
			   struct warning_kind *missing, struct diagnostics *diagnostics)
{
	_cleanup_free_ char *message = NULL;
	struct stat st = { 0 };
	int error = 0;

	if (!resolve_in_last(last, binary->path, &binary->resolved, &st)) {
		error = resolve(binary->path, &binary->resolved, &st, &message);
		remember_directory(last, binary->path);
	}
	binary->mode = st.st_mode;
	binary->uid = st.st_uid;
	binary->gid = st.st_gid;
	if (error == -EACCES && lenient)
		diagnostics_warning(diagnostics, binary->file, binary->line, "%s", message);
	else if (error)
		diagnostics_error(diagnostics, binary->file, binary->line, "%s", message);
	else if (!st.st_mode && warning_kind_shows(missing))
		diagnostics_warning(diagnostics, binary->file, binary->line,
				    "%s: no such file yet; the rule waits for it", binary->path);
}

void resolve_policy(struct policy *policy, bool lenient, struct diagnostics *diagnostics)
{
	struct last_directory last = { 0 };
	struct warning_kind missing = { 0 };

	for (size_t i = 0; i < policy->binary_count; i++) {
		struct binary *binary = &policy->binaries[i];

		if (!binary->resolved && strcmp(binary->path, "any") != 0)
			resolve_binary(binary, lenient, &last, &missing, diagnostics);
	}
	warning_kind_end(&missing, diagnostics, "binaries are not there yet");
	free(last.given);
	free(last.resolved);
}
