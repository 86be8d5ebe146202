/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads /proc for each process once, and asks the kernel side about many executables at a time.
 */
#include "enforce/kernel/listener_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enforce/base/link_target.h"
#include "enforce/base/same_file.h"
#include "enforce/kernel/entries.h"
#include "policy/cleanup.h"
#include "policy/text.h"

/* Returns the path of the process's cgroup in the unified hierarchy, to be freed, or NULL if it isn't known. */
static char *cgroup_of(uint32_t pid)
{
	_cleanup_free_ char *path = text_format("/proc/%" PRIu32 "/cgroup", pid);
	_cleanup_fclose_ FILE *stream = fopen(path, "re");
	char line[PATH_MAX];

	while (stream && fgets(line, sizeof(line), stream)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::/", 4))
			return must(strdup(line + 3));
	}
	return NULL;
}

/* Returns the outermost component of the path that is no slice, as bpf/unit.bpf.h does, to be freed, or NULL if there is none. */
static char *unit_of(const char *cgroup)
{
	_cleanup_free_ char *copy = must(strdup(cgroup ? cgroup : ""));
	char *at = copy, *name;

	while ((name = strsep(&at, "/"))) {
		size_t length = strlen(name);

		if (length && (length < 6 || strcmp(name + length - 6, ".slice") != 0))
			return must(strdup(name));
	}
	return NULL;
}

/* Returns true if the thread is in our mount namespace, so that paths mean the same to it. */
static bool has_our_mounts(uint32_t thread)
{
	_cleanup_free_ char *path = text_format("/proc/%" PRIu32 "/ns/mnt", thread);
	struct stat theirs, ours;

	return !stat(path, &theirs) && !stat("/proc/self/ns/mnt", &ours) && is_same_file(&theirs, &ours);
}

/* Returns true if the executable, open as `fd`, isn't the file that `path` leads to here. An unlinked file leads nowhere. */
static bool is_foreign(const char *path, int fd, uint32_t thread)
{
	size_t length = strlen(path), suffix = strlen(UNLINKED_SUFFIX);
	struct stat executed, named;

	if (!fstat(fd, &executed) && !stat(path, &named) && is_same_file(&executed, &named))
		return false;
	return length < suffix || strcmp(path + length - suffix, UNLINKED_SUFFIX) != 0 || !has_our_mounts(thread);
}

/* Gives a foreign executable that a rule names the path that the rule has, wherever the process sees it. */
static void name_foreign(const struct kernel *kernel, struct listener *listener)
{
	char *path =
		listener->foreign && listener->known && listener->binary != BINARY_ANY ? identified_path(kernel, listener->binary) : NULL;

	if (!path)
		return;
	free(listener->path);
	listener->path = path;
	listener->foreign = false;
}

/* Opens the executable of a thread. Returns a descriptor, or -errno. */
static int open_executable(uint32_t thread)
{
	_cleanup_free_ char *link = text_format("/proc/%" PRIu32 "/exe", thread);
	int fd = open(link, O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Returns true if open_executable() failed because the thread has ended, not because this process may not look at it. */
static bool has_ended(int fd)
{
	return fd == -ENOENT || fd == -ESRCH;
}

/*
 * Opens the executable of a process, whose first thread can end before the others. Sets *thread to one that hasn't ended. Returns a
 * descriptor, or -errno.
 */
static int open_living(uint32_t pid, uint32_t *thread)
{
	_cleanup_free_ char *path = text_format("/proc/%" PRIu32 "/task", pid);
	_cleanup_closedir_ DIR *directory = NULL;
	int fd = open_executable(*thread = pid);
	struct dirent *entry;

	if (has_ended(fd))
		directory = opendir(path);
	while (directory && has_ended(fd) && (entry = readdir(directory))) {
		uint32_t other = (uint32_t)strtoul(entry->d_name, NULL, 10);

		if (other && other != pid)
			fd = open_executable(*thread = other);
	}
	return fd;
}

/* Listeners whose executables are open, to be identified together. */
struct batch {
	struct listener *listener[IDENTITIES_MAX];
	int fd[IDENTITIES_MAX];
	size_t count;
};

/* Sets the numbers of the binaries in `batch`, and empties it. Returns 0 or -errno. */
static int number_batch(const struct kernel *kernel, struct batch *batch)
{
	struct identity *identities;
	int error;

	if (!batch->count)
		return 0;
	identities = must(calloc(batch->count, sizeof(*identities)));
	error = identify_files(kernel, batch->fd, identities, batch->count);
	for (size_t i = 0; i < batch->count; i++) {
		struct listener *listener = batch->listener[i];

		listener->known = !error;
		if (listener->socket.processes)
			listener->binary = listener->socket.binary;
		else if (!error)
			listener->binary = executed_binary(kernel, batch->fd[i], &identities[i]);
		name_foreign(kernel, listener);
		identity_clear(&identities[i]);
		close(batch->fd[i]);
	}
	free(identities);
	batch->count = 0;
	return error;
}

/* Fills in what /proc tells about the process, and adds it to `batch` if its executable could be opened. */
static void look_at_process(struct listener *listener, struct batch *batch)
{
	uint32_t thread;
	int fd = open_living(listener->socket.pid, &thread);

	listener->gone = has_ended(fd);
	if (listener->gone)
		return;
	listener->path = executable_path(thread);
	listener->cgroup = cgroup_of(thread);
	listener->unit = unit_of(listener->cgroup);
	if (fd < 0)
		return; /* this process may not look at it */
	listener->foreign = listener->path && is_foreign(listener->path, fd, thread);
	batch->listener[batch->count] = listener;
	batch->fd[batch->count++] = fd;
}

static void copy_process(struct listener *listener, const struct listener *same)
{
	listener->binary = same->binary;
	listener->known = same->known;
	listener->gone = same->gone;
	listener->path = same->path ? must(strdup(same->path)) : NULL;
	listener->foreign = same->foreign;
	listener->unit = same->unit ? must(strdup(same->unit)) : NULL;
	listener->cgroup = same->cgroup ? must(strdup(same->cgroup)) : NULL;
}

static bool has_process_of_last(const struct listener *listeners, size_t index)
{
	return index && listeners[index - 1].socket.pid == listeners[index].socket.pid;
}

int listener_processes(const struct kernel *kernel, struct listener *listeners, size_t count)
{
	struct batch batch = { .count = 0 };
	int error = 0;

	for (size_t i = 0; i < count && !error; i++) {
		if (!has_process_of_last(listeners, i))
			look_at_process(&listeners[i], &batch);
		if (batch.count == IDENTITIES_MAX)
			error = number_batch(kernel, &batch);
	}
	if (!error)
		error = number_batch(kernel, &batch);
	for (size_t i = 0; i < count; i++)
		if (has_process_of_last(listeners, i))
			copy_process(&listeners[i], &listeners[i - 1]);
	return error;
}
