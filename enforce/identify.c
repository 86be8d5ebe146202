/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the path of a rule to the number of its directory entry.
 *
 * What identifies a directory is computed in the kernel, by the same function that the hook uses: the
 * directories are opened, and the iterator `identify_files` tells for each descriptor of this process what it is.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enforce/live.h"
#include "policy/cleanup.h"

/* How many directories are open at a time: far below the usual limit of descriptors. */
#define BATCH 256

/* Runs the iterator over this process's files. Returns the descriptor to read records from, or -errno. */
static int run_iterator(const struct kernel *kernel)
{
	union bpf_iter_link_info info = { .task = { .tid = (__u32)gettid() } };
	LIBBPF_OPTS(bpf_link_create_opts, options, .iter_info = &info, .iter_info_len = sizeof(info));
	_cleanup_close_ int link = bpf_link_create(kernel->fd[PROGRAM_IDENTIFY], 0, BPF_TRACE_ITER, &options);
	int iterator;

	if (link < 0)
		return -errno;
	iterator = bpf_iter_create(link);
	return iterator < 0 ? -errno : iterator;
}

static void take_record(const struct file_identity *record, const int *fds, struct directory *directories, bool *known,
			size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fds[i] == (int)record->fd) {
			directories[i] = record->directory;
			known[i] = true;
		}
}

/* The identity of each of the open directories `fds`, at most BATCH. Returns 0 or -errno. */
static int identify_directories(const struct kernel *kernel, const int *fds, struct directory *directories, size_t count)
{
	struct file_identity records[64];
	bool known[BATCH] = { false };
	_cleanup_close_ int iterator = run_iterator(kernel);
	ssize_t length;

	if (iterator < 0)
		return iterator;
	/* The kernel hands out whole records. */
	while ((length = read(iterator, records, sizeof(records))) > 0)
		for (size_t i = 0; i < (size_t)length / sizeof(records[0]); i++)
			take_record(&records[i], fds, directories, known, count);
	if (length < 0)
		return -errno;
	for (size_t i = 0; i < count; i++)
		if (!known[i])
			return -ENODATA;
	return 0;
}

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

/* The number of the entry `key`, given now if it is new. Returns it, or -errno. */
static int64_t number_of_entry(struct kernel *kernel, const struct entry_key *key, const char *path)
{
	uint32_t number;
	uint64_t next;
	int error;

	if (!bpf_map_lookup_elem(kernel->fd[MAP_ENTRIES], key, &number))
		return number;
	if (errno != ENOENT)
		return -errno;
	/* Counted up first: whatever happens now, no number is given twice. */
	next = __atomic_fetch_add(&kernel->state->next_binary, 1, __ATOMIC_SEQ_CST);
	if (next >= MAX_BINARIES)
		return -ENOSPC;
	number = (uint32_t)next;
	error = store_path(kernel, number, path);
	if (error)
		return error;
	if (bpf_map_update_elem(kernel->fd[MAP_ENTRIES], key, &number, BPF_NOEXIST))
		return -errno;
	return number;
}

/* Binaries whose directories are identified together; `directory[i]` is that of `binary[i]`. */
struct batch {
	struct binary *binary[BATCH];
	int fd[BATCH];
	struct directory directory[BATCH];
	size_t count;
};

static size_t directory_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash != path ? (size_t)(slash - path) : 1;
}

static bool same_directory(const char *a, const char *b)
{
	size_t length;

	if (!a || !b)
		return false;
	length = directory_length(a);
	return length == directory_length(b) && !strncmp(a, b, length);
}

static enum status open_directory(struct batch *batch, struct binary *binary)
{
	_cleanup_free_ char *directory = strndup(binary->resolved, directory_length(binary->resolved));

	if (!directory)
		return fail(STATUS_FAILED, "%s", strerror(ENOMEM));
	batch->fd[batch->count] = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (batch->fd[batch->count] < 0)
		return fail(STATUS_FAILED, "%s: %s", directory, strerror(errno));
	batch->binary[batch->count++] = binary;
	return STATUS_DONE;
}

static enum status number_binary(struct kernel *kernel, const struct directory *directory, struct binary *binary)
{
	struct entry_key key = { .directory = *directory };
	int64_t number;

	strncpy(key.name, basename(binary->resolved), sizeof(key.name) - 1);
	number = number_of_entry(kernel, &key, binary->resolved);
	if (number == -ENOSPC || number == -E2BIG)
		return fail(STATUS_FAILED, "%s: rules have named %d different binaries since the first load; run: "
			    "sockaccept-ctl unload, then load", binary->path, MAX_BINARIES - 1);
	if (number < 0)
		return fail(STATUS_FAILED, "%s: can't make a rule for it: %s", binary->path, strerror((int)-number));
	binary->number = (uint32_t)number;
	return STATUS_DONE;
}

static void close_batch(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		close(batch->fd[i]);
	batch->count = 0;
}

/* Numbers are given once: a rule stays with its entry, also when its directory is gone. */
static bool needs_number(const struct binary *binary)
{
	return binary->resolved && binary->number == BINARY_ANY;
}

/* The binaries [first, last) that need a number are in directories of `batch`, in the same order. *any: there were some. */
static enum status number_batch(struct kernel *kernel, struct batch *batch, struct binary *first,
				const struct binary *last, bool *any)
{
	enum status status = STATUS_DONE;
	size_t at = 0;
	int error;

	if (!batch->count)
		return STATUS_DONE;
	*any = true;
	error = identify_directories(kernel, batch->fd, batch->directory, batch->count);
	if (error)
		status = fail(STATUS_FAILED, "can't identify the directories of binaries: %s", strerror(-error));
	for (struct binary *binary = first; binary < last && status == STATUS_DONE; binary++) {
		if (!needs_number(binary))
			continue;
		if (!same_directory(binary->resolved, batch->binary[at]->resolved))
			at++;
		status = number_binary(kernel, &batch->directory[at], binary);
	}
	close_batch(batch);
	return status;
}

enum status identify_binaries(struct kernel *kernel, struct policy *policy)
{
	struct binary *all = policy->binaries, *end = all + policy->binary_count, *first = all;
	_cleanup_free_ struct batch *batch = calloc(1, sizeof(*batch));
	enum status status = STATUS_DONE;
	bool any = false;

	if (!batch)
		return fail(STATUS_FAILED, "%s", strerror(ENOMEM));
	for (struct binary *binary = all; binary < end && status == STATUS_DONE; binary++) {
		if (!needs_number(binary) || (batch->count &&
		    same_directory(binary->resolved, batch->binary[batch->count - 1]->resolved)))
			continue;
		if (batch->count == BATCH) {
			status = number_batch(kernel, batch, first, binary, &any);
			first = binary;
		}
		if (status == STATUS_DONE)
			status = open_directory(batch, binary);
	}
	if (status == STATUS_DONE)
		status = number_batch(kernel, batch, first, end, &any);
	close_batch(batch);
	/*
	 * What the hook has kept about unnamed binaries is looked up again. Also for entries that were there: the
	 * command that made them may have been killed before it came to this.
	 */
	if (any)
		__atomic_fetch_add(&kernel->state->entries_epoch, 1, __ATOMIC_SEQ_CST);
	return status;
}
