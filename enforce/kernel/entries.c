/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads and writes the map `entries`, in which directory and name lead to a number, and the map `binary_paths` with the paths.
 */
#include "enforce/kernel/entries.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/kernel/identify.h"
#include "policy/cleanup.h"
#include "policy/text.h"

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

/* Sets *value to that of an entry. Returns 0, -ENOENT, or another -errno. */
static int find(const struct kernel *kernel, const struct entry_key *key, uint32_t *value)
{
	return bpf_map_lookup_elem(kernel->fd[MAP_ENTRIES], key, value) ? -errno : 0;
}

/*
 * Sets *key to the key of the entry `name` in a directory. Where numbers don't tell directories apart (FILE_BY_NAMES), a directory is
 * a chain of entries, a step for each name on its path: the key is that of the last step, and missing steps are made if `give`.
 * Returns 0, -ENOENT, or another -errno.
 */
static int last_key(const struct kernel *kernel, const struct identity *directory, const char *name, bool give, struct entry_key *key)
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

/* Does what number_of() in bpf/process.bpf.h does. */
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

/* Stores the path anew if it has changed: a directory can have been renamed. */
static int renew_path(const struct kernel *kernel, uint32_t number, const char *path)
{
	_cleanup_free_ char *known = identified_path(kernel, number);

	return known && !strcmp(known, path) ? 0 : store_path(kernel, number, path);
}

/* Returns the next number, or -errno. */
static int64_t next_number(const struct kernel *kernel)
{
	/* Count first: whatever happens after this, no number is given twice. */
	uint64_t next = __atomic_fetch_add(&kernel->control->next_binary, 1, __ATOMIC_SEQ_CST);

	return next < MAX_BINARIES ? (int64_t)next : -ENOSPC;
}

/* Returns the number, or -errno. */
static int64_t put_entry(const struct kernel *kernel, const struct entry_key *key, uint32_t number)
{
	return bpf_map_update_elem(kernel->fd[MAP_ENTRIES], key, &number, BPF_NOEXIST) ? -errno : (int64_t)number;
}

int64_t entry_give(const struct kernel *kernel, const struct identity *directory, const char *name, const char *path)
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

int64_t entry_give_waiting(const struct kernel *kernel, const char *path)
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
