/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Resolves the path that a rule gives to the directory entry that it stands for.
 */
#include "policy/resolve.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/cleanup.h"
#include "policy/text.h"

/* As many symbolic links as the kernel follows. */
#define LINKS_FOLLOWED 40
/* How often to try again if the file comes or goes while it is looked at. */
#define TRIES 100

char *path_join(const char *directory, const char *name)
{
	size_t length = strlen(directory);

	return text_format("%s%s%s", directory, length && directory[length - 1] == '/' ? "" : "/", name);
}

char *path_directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	return text_format("%.*s", slash == path ? 1 : (int)(slash - path), path);
}

const char *file_kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR: return "a directory";
	case S_IFIFO: return "a FIFO";
	case S_IFSOCK: return "a socket";
	case S_IFCHR:
	case S_IFBLK: return "a device";
	default: return "no regular file";
	}
}

static bool is_directory_name(const char *name)
{
	return !*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* What is wrong with a path. */
struct problem {
	char *why; /* to be freed */
	const char *remedy;
	bool nowhere; /* the path leads nowhere, which can change by itself */
};

/* Each of the following returns 0, or -errno and sets *problem. */

static int fail(struct problem *problem, int error, char *why, const char *remedy)
{
	*problem = (struct problem){ why, remedy, false };
	return error;
}

/* Returns the first directory that isn't there on the way to `directory`, which is the last of them; to be freed. */
static char *first_missing(const char *directory)
{
	_cleanup_free_ char *parent = must(strdup(directory)), *name = must(strdup(directory));

	for (char *slash = strrchr(parent, '/'); slash; slash = strrchr(parent, '/')) {
		_cleanup_free_ char *real = NULL;

		free(name);
		name = must(strdup(slash + 1));
		*slash = '\0';
		real = realpath(*parent ? parent : "/", NULL);
		if (real)
			return path_join(real, name);
	}
	return must(strdup(directory));
}

static int fail_on_way(struct problem *problem, const char *directory, int error)
{
	char *missing = error == ENOENT ? first_missing(directory) : NULL;
	char *why = error == ENOENT  ? text_format("there is no directory %s", missing) :
		    error == ENOTDIR ? text_format("what should be a directory in it is none") :
				       text_format("cannot be looked up: %s", strerror(error));

	free(missing);
	*problem = (struct problem){ why,
				     error == ENOENT ? "create it or correct the path" :
				     error == EACCES ? "run this as root" :
						       "correct the path",
				     error != EACCES };
	return -error;
}

static int check_present(const char *real, struct stat *st, struct problem *problem)
{
	if (stat(real, st) < 0)
		return errno == ENOENT ? -EAGAIN : fail_on_way(problem, real, errno);
	if (S_ISDIR(st->st_mode))
		return fail(problem, -EISDIR, text_format("is a directory"), "name the file in it");
	if (!S_ISREG(st->st_mode))
		return fail(problem, -EINVAL, text_format("is %s", file_kind(st->st_mode)), "name a program's file");
	return 0;
}

/* Sets *directory to the directory part of `path`, resolved, and *name to the rest. */
static int split(const char *path, char **directory, char **name, struct problem *problem)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent = NULL;

	if (!slash || is_directory_name(slash + 1)) {
		fail(problem, -EISDIR, text_format("does not end in a file's name"), "name the file");
		problem->nowhere = true; /* it was looked up, and wasn't there */
		return -EISDIR;
	}
	parent = path_directory(path);
	*directory = realpath(parent, NULL);
	if (!*directory)
		return fail_on_way(problem, parent, errno);
	*name = must(strdup(slash + 1));
	return 0;
}

/* Returns the path where a symbolic link leads, to be freed, or NULL with errno. */
static char *follow(const char *link, const char *directory)
{
	char target[PATH_MAX];
	ssize_t length = readlink(link, target, sizeof(target) - 1);

	if (length < 0)
		return NULL;
	target[length] = '\0';
	return target[0] == '/' ? must(strdup(target)) : path_join(directory, target);
}

/*
 * Resolves a path whose file isn't there. Its name stands for an entry of its directory all the same, and a link that leads nowhere yet
 * stands for the entry that it will lead to.
 */
static int resolve_missing(const char *path, char **resolved, struct problem *problem)
{
	_cleanup_free_ char *at = must(strdup(path));

	for (int links = 0; links < LINKS_FOLLOWED; links++) {
		_cleanup_free_ char *directory = NULL, *name = NULL, *entry = NULL;
		char *target;
		int error = split(at, &directory, &name, problem);

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
			return fail_on_way(problem, entry, errno);
		free(at);
		at = target;
	}
	return fail_on_way(problem, path, ELOOP);
}

/* Does what resolve() does, but returns -EAGAIN, and sets no problem, if the file came or went meanwhile. */
static int resolve_once(const char *path, char **resolved, struct stat *st, struct problem *problem)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	int error;

	if (!real && errno == ENOENT)
		return resolve_missing(path, resolved, problem);
	if (!real)
		return fail_on_way(problem, path, errno);
	error = check_present(real, st, problem);
	if (error)
		return error;
	*resolved = TAKE_PTR(real);
	return 0;
}

/* Resolves a path, and sets *st to what stat(2) says of the file. Leaves it as it is if the file isn't there. */
static int resolve(const char *path, char **resolved, struct stat *st, struct problem *problem)
{
	for (int tries = 0; tries < TRIES; tries++) {
		int error = resolve_once(path, resolved, st, problem);

		if (error != -EAGAIN)
			return error;
	}
	return fail_on_way(problem, path, EAGAIN);
}

char *resolve_path(const char *path, char **resolved, bool *missing)
{
	struct stat st = { 0 };
	struct problem problem = { 0 };
	char *message;

	if (!resolve(path, resolved, &st, &problem)) {
		*missing = !st.st_mode;
		return NULL;
	}
	*missing = problem.nowhere;
	message = text_format("%s: %s; %s", path, problem.why, problem.remedy);
	free(problem.why);
	return message;
}

char *resolve_why_nowhere(const char *path)
{
	_cleanup_free_ char *resolved = NULL;
	struct stat st = { 0 };
	struct problem problem = { 0 };

	if (!resolve(path, &resolved, &st, &problem))
		return st.st_mode ? NULL : text_format("there is no such file");
	if (problem.nowhere)
		return problem.why;
	free(problem.why);
	return NULL;
}

/* The directory of the last binary. Most binaries have the same one, which is then resolved once. */
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

	if (!last->resolved || strlen(last->given) != directory_bytes(path) || strncmp(last->given, path, directory_bytes(path)) != 0 ||
	    is_directory_name(strrchr(path, '/') + 1))
		return false;
	entry = path_join(last->resolved, strrchr(path, '/') + 1);
	if (lstat(entry, &seen) ? errno != ENOENT : !S_ISREG(seen.st_mode))
		return false;
	*st = seen;
	*resolved = TAKE_PTR(entry);
	return true;
}

/* Reports that the binary's path leads to no directory entry, or lets its rules wait. */
static void take_problem(struct binary *binary, const struct problem *problem, int error, enum purpose purpose,
			 struct warning_kind *missing, struct diagnostics *diagnostics)
{
	const char *file = binary->file, *path = binary->path;

	binary->waits = problem->nowhere || purpose == READ_AT_BOOT || purpose == READ_OFFLINE;
	if (binary->waits && warning_kind_shows(missing))
		diagnostics_machine(diagnostics, file, binary->line, "%s: %s; the rule waits for it", path, problem->why);
	else if (!binary->waits && error == -EACCES && purpose == READ_FOR_CHECK)
		diagnostics_warning(diagnostics, file, binary->line, "%s: %s; %s", path, problem->why, problem->remedy);
	else if (!binary->waits)
		diagnostics_error(diagnostics, file, binary->line, "%s: %s; %s", path, problem->why, problem->remedy);
}

static void resolve_binary(struct binary *binary, enum purpose purpose, struct last_directory *last, struct warning_kind *missing,
			   struct diagnostics *diagnostics)
{
	struct problem problem = { 0 };
	struct stat st = { 0 };
	int error = 0;

	if (!resolve_in_last(last, binary->path, &binary->resolved, &st)) {
		error = resolve(binary->path, &binary->resolved, &st, &problem);
		remember_directory(last, binary->path);
	}
	binary->mode = error ? 0 : st.st_mode;
	binary->uid = st.st_uid;
	binary->gid = st.st_gid;
	binary->waits = false;
	if (error)
		take_problem(binary, &problem, error, purpose, missing, diagnostics);
	else if (!st.st_mode && warning_kind_shows(missing))
		diagnostics_machine(diagnostics, binary->file, binary->line, "%s: no such file yet; the rule waits for it", binary->path);
	free(problem.why);
}

void resolve_policy(struct policy *policy, enum purpose purpose, struct diagnostics *diagnostics)
{
	struct last_directory last = { 0 };
	struct warning_kind missing = { .machine = true };

	for (size_t i = 0; i < policy->binary_count; i++) {
		struct binary *binary = &policy->binaries[i];

		if (!binary->resolved && !binary_is_any(binary))
			resolve_binary(binary, purpose, &last, &missing, diagnostics);
	}
	warning_kind_end(&missing, diagnostics, "binaries are not there yet");
	free(last.given);
	free(last.resolved);
}
