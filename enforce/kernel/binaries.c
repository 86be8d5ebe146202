/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Goes through a policy's binaries directory by directory, and identifies many directories in one pass of an iterator.
 */
#include "enforce/kernel/binaries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "enforce/kernel/entries.h"
#include "policy/cleanup.h"
#include "policy/text.h"

#define TOO_MANY_BINARIES "rules have named too many different binaries since the first load; run: sockaccept-ctl unload, then load"

#define MOUNTED_ON "something else is mounted on it; name that file where it is"

/*
 * Opens the file that has the entry's name now. Returns its descriptor, or -errno: -EXDEV if something is mounted on it, so that the
 * path runs another file.
 */
static int open_entry(int directory, const char *name)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV,
	};
	long fd = syscall(SYS_openat2, directory, name, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* Directories of binaries, to be identified together. */
struct batch {
	char *directory[IDENTITIES_MAX];
	int fd[IDENTITIES_MAX];
	struct identity identity[IDENTITIES_MAX];
	size_t count;
	bool give;            /* give numbers to binaries that have none */
	struct binary *first; /* the policy's first binary */
	char **problems;      /* what is wrong, by binary; NULL: that is an error */
};

static size_t directory_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash != path ? (size_t)(slash - path) : 1;
}

static bool is_in(const char *path, const char *directory)
{
	return strlen(directory) == directory_length(path) && !strncmp(path, directory, directory_length(path));
}

static void drop_path(struct binary *binary)
{
	free(binary->resolved);
	binary->resolved = NULL;
}

/* Prints what is wrong with a binary; or, if there are problems to fill, notes it there and removes the resolved path. */
static enum status refuse(struct batch *batch, struct binary *binary, const char *what)
{
	if (batch->problems) {
		batch->problems[binary - batch->first] = text_format("%s: %s", binary->path, what);
		drop_path(binary);
		return STATUS_DONE;
	}
	if (binary->file)
		return fail(STATUS_FAILED, "%s:%u: %s: %s", binary->file, binary->line, binary->path, what);
	return fail(STATUS_FAILED, "%s: %s", binary->path, what);
}

/* Returns true, and makes the rule wait, if the directory has gone since the path was resolved. Looks at errno. */
static bool is_gone(const struct batch *batch, struct binary *binary)
{
	if (batch->problems || errno != ENOENT)
		return false;
	drop_path(binary);
	binary->waits = true;
	return true;
}

static enum status open_directory(struct batch *batch, struct binary *binary)
{
	_cleanup_free_ char *directory = text_format("%.*s", (int)directory_length(binary->resolved), binary->resolved);
	int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return is_gone(batch, binary) ? STATUS_DONE : refuse(batch, binary, strerror(errno));
	batch->fd[batch->count] = fd;
	batch->directory[batch->count++] = TAKE_PTR(directory);
	return STATUS_DONE;
}

static enum status give_binary(const struct kernel *kernel, struct batch *batch, size_t at, struct binary *binary)
{
	const char *problem = identity_problem(&batch->identity[at]), *name = basename(binary->resolved);
	_cleanup_close_ int file = open_entry(batch->fd[at], name);
	int64_t number;

	if (!problem && file == -EXDEV)
		problem = MOUNTED_ON;
	if (problem)
		return refuse(batch, binary, problem);
	number = entry_give(kernel, &batch->identity[at], name, binary->resolved);
	if (number == -ENOSPC || number == -E2BIG)
		return refuse(batch, binary, TOO_MANY_BINARIES);
	if (number < 0)
		return fail(STATUS_FAILED, "%s: can't make a rule for it: %s", binary->path, strerror((int)-number));
	binary->number = (uint32_t)number;
	return STATUS_DONE;
}

static enum status find_binary(const struct kernel *kernel, struct batch *batch, size_t at, struct binary *binary)
{
	const char *problem = identity_problem(&batch->identity[at]);
	_cleanup_close_ int file = problem || !batch->problems ? -1 : open_entry(batch->fd[at], basename(binary->resolved));
	int64_t number;

	if (file == -EXDEV)
		problem = MOUNTED_ON;
	if (problem)
		return refuse(batch, binary, problem);
	number = entry_find(kernel, &batch->identity[at], basename(binary->resolved));
	if (number < 0 && number != -ENOENT)
		return fail(STATUS_FAILED, "%s: can't look it up: %s", binary->path, strerror((int)-number));
	if (number > 0)
		binary->number = (uint32_t)number;
	return STATUS_DONE;
}

static void close_batch(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		close(batch->fd[i]);
		free(batch->directory[i]);
		identity_clear(&batch->identity[i]);
	}
	batch->count = 0;
}

/* Returns false for a binary that has a number: a rule keeps its entry, also when the directory is gone. */
static bool needs_number(const struct binary *binary)
{
	return binary->resolved && binary->number == BINARY_ANY;
}

/* Numbers the binaries [first, last), whose directories are those of `batch`, in the same order. */
static enum status number_batch(const struct kernel *kernel, struct batch *batch, struct binary *first, const struct binary *last)
{
	enum status status = STATUS_DONE;
	size_t at = 0;
	int error;

	if (!batch->count)
		return STATUS_DONE;
	error = identify_files(kernel, batch->fd, batch->identity, batch->count);
	if (error)
		status = fail(STATUS_FAILED, "can't identify the directories of binaries: %s", strerror(-error));
	for (struct binary *binary = first; binary < last && status == STATUS_DONE; binary++) {
		if (!needs_number(binary))
			continue;
		if (at + 1 < batch->count && !is_in(binary->resolved, batch->directory[at]))
			at++;
		status = (batch->give ? give_binary : find_binary)(kernel, batch, at, binary);
	}
	close_batch(batch);
	return status;
}

static enum status number_all(const struct kernel *kernel, struct policy *policy, struct batch *batch)
{
	struct binary *all = policy->binaries, *end = all + policy->binary_count, *first = all;
	enum status status = STATUS_DONE;

	batch->first = all;
	for (struct binary *binary = all; binary < end && status == STATUS_DONE; binary++) {
		if (!needs_number(binary) || (batch->count && is_in(binary->resolved, batch->directory[batch->count - 1])))
			continue;
		if (batch->count == IDENTITIES_MAX) {
			status = number_batch(kernel, batch, first, binary);
			first = binary;
		}
		if (status == STATUS_DONE)
			status = open_directory(batch, binary);
	}
	if (status == STATUS_DONE)
		status = number_batch(kernel, batch, first, end);
	close_batch(batch);
	return status;
}

/* Gives numbers to the binaries that wait and have none. */
static enum status number_waiting(const struct kernel *kernel, struct policy *policy)
{
	for (size_t i = 0; i < policy->binary_count; i++) {
		struct binary *binary = &policy->binaries[i];
		int64_t number;

		if (!binary->waits || binary->number != BINARY_ANY)
			continue;
		number = entry_give_waiting(kernel, binary->path);
		if (number < 0)
			return fail(STATUS_FAILED, "%s: can't make a rule for it: %s", binary->path,
				    number == -ENOSPC || number == -E2BIG ? TOO_MANY_BINARIES : strerror((int)-number));
		binary->number = (uint32_t)number;
	}
	return STATUS_DONE;
}

enum status give_binaries(const struct kernel *kernel, struct policy *policy, char **problems)
{
	_cleanup_free_ struct batch *batch = must(calloc(1, sizeof(*batch)));
	enum status status;

	batch->give = true;
	batch->problems = problems;
	status = number_all(kernel, policy, batch);
	if (status == STATUS_DONE)
		status = number_waiting(kernel, policy);
	/*
	 * Makes the hook look up again what it has kept of look-ups, if there are new entries: also those of a command that was killed
	 * before it reached this line.
	 */
	__atomic_store_n(&kernel->control->entries_epoch, kernel->control->next_binary, __ATOMIC_SEQ_CST);
	return status;
}

/* Sets the number of each of `count` binaries to that of its file, which is open as its fd, and closes it. Returns 0 or -errno. */
static int find_files(const struct kernel *kernel, struct binary *const *binaries, const int *fds, size_t count)
{
	struct identity *identities = must(calloc(count + 1, sizeof(*identities)));
	int error = identify_files(kernel, fds, identities, count);

	for (size_t i = 0; i < count; i++) {
		binaries[i]->number = identities[i].binary;
		identity_clear(&identities[i]);
		close(fds[i]);
	}
	free(identities);
	return error;
}

/* Numbers binaries by their files, as nobody can open the entries when the policy is locked. */
static enum status find_without_entries(const struct kernel *kernel, struct policy *policy)
{
	struct binary *some[IDENTITIES_MAX];
	int fds[IDENTITIES_MAX], error = 0;
	size_t count = 0;

	for (size_t i = 0; i < policy->binary_count && !error; i++) {
		struct binary *binary = &policy->binaries[i];

		if (!needs_number(binary))
			continue;
		fds[count] = open(binary->resolved, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fds[count] >= 0) {
			some[count++] = binary;
		} else {
			drop_path(binary);
		}
		if (count == IDENTITIES_MAX) {
			error = find_files(kernel, some, fds, count);
			count = 0;
		}
	}
	if (count && !error)
		error = find_files(kernel, some, fds, count);
	return error ? fail(STATUS_FAILED, "can't identify the binaries: %s", strerror(-error)) : STATUS_DONE;
}

enum status find_binaries(const struct kernel *kernel, struct policy *policy, char **problems)
{
	_cleanup_free_ struct batch *batch = must(calloc(1, sizeof(*batch)));

	if (kernel->fd[MAP_ENTRIES] < 0)
		return find_without_entries(kernel, policy);
	batch->problems = problems;
	return number_all(kernel, policy, batch);
}
