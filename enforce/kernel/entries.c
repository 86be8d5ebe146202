/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the path of a rule to the number of its directory entry.
 */
#include "enforce/kernel/entries.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "enforce/kernel/identify.h"
#include "policy/cleanup.h"
#include "policy/text.h"

#define TOO_MANY_BINARIES \
	"rules have named too many different binaries since the first load; run: sockaccept-ctl unload, then load"

/* ---------------------------------------------------------------------------------------------
 * Paths
 */

static int store_path(const struct kernel *kernel, uint32_t number, const char *path)
{
	struct path_key key = { .binary = number };
	size_t length = strlen(path) + 1;

	for (size_t at = 0; at < length; at += sizeof(struct path_chunk), key.chunk++) {
		struct path_chunk chunk = { 0 };

		memcpy(chunk.bytes, path + at, length - at < sizeof(chunk.bytes) ? length - at : sizeof(chunk.bytes));
		if (bpf_map_update_elem(kernel->fd[MAP_BINARY_PATHS], &key, &chunk, BPF_ANY))
			return -errno;
	}
	return 0;
}

char *identified_path(const struct kernel *kernel, uint32_t number)
{
	char path[PATH_MAX + sizeof(struct path_chunk)];
	struct path_key key = { .binary = number };

	if (number == BINARY_ANY || number & BINARY_UNNAMED)
		return NULL;
	for (size_t at = 0; at + sizeof(struct path_chunk) <= sizeof(path); at += sizeof(struct path_chunk), key.chunk++) {
		if (bpf_map_lookup_elem(kernel->fd[MAP_BINARY_PATHS], &key, path + at))
			return NULL;
		if (memchr(path + at, '\0', sizeof(struct path_chunk)))
			return strdup(path);
	}
	return NULL;
}

/* ---------------------------------------------------------------------------------------------
 * Entries
 */

/* Finds the value of an entry. Returns 0, -ENOENT, or another -errno. */
static int find(const struct kernel *kernel, const struct entry_key *key, uint32_t *value)
{
	return bpf_map_lookup_elem(kernel->fd[MAP_ENTRIES], key, value) ? -errno : 0;
}

/*
 * Puts into `key` the last step of `name` in a directory; or, where numbers tell, all of it. Steps that aren't there
 * are made if `give`. Returns 0, -ENOENT, or another -errno.
 */
static int last_key(const struct kernel *kernel, const struct identity *directory, const char *name, bool give,
		    struct entry_key *key)
{
	*key = (struct entry_key){ .directory = directory->directory };
	strncpy(key->name, name, sizeof(key->name) - 1);
	if (!(directory->flags & FILE_BY_NAMES))
		return 0;
	for (size_t i = 0; i <= directory->step_count; i++) {
		uint32_t step;
		int error = find(kernel, key, &step);

		if (error == -ENOENT && give) {
			step = (uint32_t)__atomic_fetch_add(&kernel->control->next_step, 1, __ATOMIC_SEQ_CST);
			error = bpf_map_update_elem(kernel->fd[MAP_ENTRIES], key, &step, BPF_NOEXIST) ? -errno : 0;
		}
		if (error)
			return error;
		key->directory.inode = step;
		memset(key->name, 0, sizeof(key->name));
		if (i < directory->step_count)
			memcpy(key->name, directory->steps[i], sizeof(key->name));
	}
	return 0;
}

int64_t entry_find(const struct kernel *kernel, const struct identity *directory, const char *name)
{
	struct entry_key key;
	uint32_t number;
	int error = last_key(kernel, directory, name, false, &key);

	if (!error)
		error = find(kernel, &key, &number);
	return error ? error : (int64_t)number;
}

/* As number_of() in bpf/process.bpf.h. */
uint32_t executed_binary(const struct kernel *kernel, int fd, const struct identity *identity)
{
	uint32_t entry = identity_problem(identity) ? BINARY_ANY : identity->binary;
	struct executable executable = { 0 };

	if (kernel->fd[MAP_EXECUTABLES] < 0 || bpf_map_lookup_elem(kernel->fd[MAP_EXECUTABLES], &fd, &executable) ||
	    executable.dentry != identity->dentry)
		return entry;
	if (executable.binary)
		return (uint32_t)executable.binary;
	return entry >= executable.epoch ? entry : BINARY_ANY;
}

/* A directory can have another name by now. */
static int renew_path(const struct kernel *kernel, uint32_t number, const char *path)
{
	_cleanup_free_ char *known = identified_path(kernel, number);

	return known && !strcmp(known, path) ? 0 : store_path(kernel, number, path);
}

/* Gives the next number. Returns it, or -errno. */
static int64_t next_number(const struct kernel *kernel)
{
	/* Counted up first: whatever happens now, no number is given twice. */
	uint64_t next = __atomic_fetch_add(&kernel->control->next_binary, 1, __ATOMIC_SEQ_CST);

	return next < MAX_BINARIES ? (int64_t)next : -ENOSPC;
}

static int64_t put_entry(const struct kernel *kernel, const struct entry_key *key, uint32_t number)
{
	return bpf_map_update_elem(kernel->fd[MAP_ENTRIES], key, &number, BPF_NOEXIST) ? -errno : (int64_t)number;
}

/* The number of an entry, given now if it is new; its path from now on is `path`. Returns it, or -errno. */
static int64_t give_number(const struct kernel *kernel, const struct identity *directory, const char *name, const char *path)
{
	struct entry_key key;
	uint32_t number;
	int64_t next;
	int error = last_key(kernel, directory, name, true, &key);

	if (error)
		return error;
	error = find(kernel, &key, &number);
	if (!error)
		error = renew_path(kernel, number, path);
	if (error != -ENOENT)
		return error ? error : (int64_t)number;
	next = next_number(kernel);
	if (next < 0)
		return next;
	error = store_path(kernel, (uint32_t)next, path);
	return error ? error : put_entry(kernel, &key, (uint32_t)next);
}

/* The number of a path that leads nowhere, given now if it is new. Returns it, or -errno. */
static int64_t give_waiting(const struct kernel *kernel, const char *path)
{
	struct entry_key key = { .directory = { 0 } };
	uint32_t number;
	int64_t next;
	int error;

	strncpy(key.name, path, sizeof(key.name) - 1);
	error = find(kernel, &key, &number);
	if (error != -ENOENT)
		return error ? error : (int64_t)number;
	next = next_number(kernel);
	return next < 0 ? next : put_entry(kernel, &key, (uint32_t)next);
}

/*
 * Opens the file that has the entry's name now. Returns its descriptor, or -errno; -EXDEV: something is mounted on it, so
 * that another file is run by that path.
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

/* ---------------------------------------------------------------------------------------------
 * Binaries
 */

/* Directories of binaries that are identified together. */
struct batch {
	char *directory[IDENTITIES_MAX];
	int fd[IDENTITIES_MAX];
	struct identity identity[IDENTITIES_MAX];
	size_t count;
	bool give; /* numbers to those that have none */
	struct binary *first; /* of the policy */
	char **problems;      /* by binary, for what is wrong with it; NULL: that is an error */
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

/* Says what is wrong with a binary, or makes a note of it: it then has no resolved path any more. */
static enum status refuse(struct batch *batch, struct binary *binary, const char *what)
{
	if (batch->problems) {
		batch->problems[binary - batch->first] = text_format("%s: %s", binary->path, what);
		free(binary->resolved);
		binary->resolved = NULL;
		return STATUS_DONE;
	}
	if (binary->file)
		return fail(STATUS_FAILED, "%s:%u: %s: %s", binary->file, binary->line, binary->path, what);
	return fail(STATUS_FAILED, "%s: %s", binary->path, what);
}

/* The directory has gone since the path was resolved: the rule waits. */
static bool is_gone(const struct batch *batch, struct binary *binary)
{
	if (batch->problems || errno != ENOENT)
		return false;
	free(binary->resolved);
	binary->resolved = NULL;
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

#define MOUNTED_ON "something else is mounted on it; name that file where it is"

static enum status give_binary(const struct kernel *kernel, struct batch *batch, size_t at, struct binary *binary)
{
	const char *problem = identity_problem(&batch->identity[at]), *name = basename(binary->resolved);
	_cleanup_close_ int file = open_entry(batch->fd[at], name);
	int64_t number;

	if (!problem && file == -EXDEV)
		problem = MOUNTED_ON;
	if (problem)
		return refuse(batch, binary, problem);
	number = give_number(kernel, &batch->identity[at], name, binary->resolved);
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

/* Numbers are given once: a rule stays with its entry, also when its directory is gone. */
static bool needs_number(const struct binary *binary)
{
	return binary->resolved && binary->number == BINARY_ANY;
}

/* The binaries [first, last) that need a number are in directories of `batch`, in the same order. */
static enum status number_batch(const struct kernel *kernel, struct batch *batch, struct binary *first,
				const struct binary *last)
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
		if (!needs_number(binary) || (batch->count &&
		    is_in(binary->resolved, batch->directory[batch->count - 1])))
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

/* Those that wait and have no number yet. */
static enum status number_waiting(const struct kernel *kernel, struct policy *policy)
{
	for (size_t i = 0; i < policy->binary_count; i++) {
		struct binary *binary = &policy->binaries[i];
		int64_t number;

		if (!binary->waits || binary->number != BINARY_ANY)
			continue;
		number = give_waiting(kernel, binary->path);
		if (number < 0)
			return fail(STATUS_FAILED, "%s: can't make a rule for it: %s", binary->path, number == -ENOSPC || number == -E2BIG ?
				    TOO_MANY_BINARIES : strerror((int)-number));
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
	 * What the hook has kept of look-ups is looked up again if there are new entries; also those of a command that
	 * was killed before it came to this.
	 */
	__atomic_store_n(&kernel->control->entries_epoch, kernel->control->next_binary, __ATOMIC_SEQ_CST);
	return status;
}

/* Sets the number of each of `count` binaries by what the file is that is open as its fd, and closes that. */
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

/* When the policy is locked, nobody gets at the entries. */
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
			free(binary->resolved);
			binary->resolved = NULL;
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
