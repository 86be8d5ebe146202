/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/kernel/listeners.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enforce/base/link_target.h"
#include "enforce/base/same_file.h"
#include "enforce/kernel/entries.h"
#include "enforce/kernel/family.h"
#include "enforce/kernel/iterate.h"
#include "policy/cleanup.h"
#include "policy/compare.h"
#include "policy/text.h"

static void take_socket(const void *record, void *data)
{
	struct listeners *listeners = data;

	listeners->list = must(reallocarray(listeners->list, listeners->count + 1, sizeof(*listeners->list)));
	listeners->list[listeners->count++] = (struct listener){ .socket = *(const struct listening *)record, .processes = 1, .binary = BINARY_ANY };
}

/* Returns 0 or -errno. */
static int list_sockets(const struct kernel *kernel, struct listeners *listeners)
{
	return iterate(kernel->fd[PROGRAM_LISTENERS], sizeof(struct listening), take_socket, listeners);
}

/* ---------------------------------------------------------------------------------------------
 * Processes
 */

static int by_pid(const void *a, const void *b)
{
	const struct listener *x = a, *y = b;

	return x->socket.pid < y->socket.pid ? -1 : x->socket.pid > y->socket.pid;
}

/* Its path in the unified hierarchy; NULL: it can't be told. */
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

/* The name of the outermost cgroup on the way to it that is no slice, as the kernel side has it (bpf/unit.bpf.h); NULL: none. */
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

/* True if the process sees the mounts that we see, so that paths mean the same to it. */
static bool has_our_mounts(uint32_t thread)
{
	_cleanup_free_ char *path = text_format("/proc/%" PRIu32 "/ns/mnt", thread);
	struct stat theirs, ours;

	return !stat(path, &theirs) && !stat("/proc/self/ns/mnt", &ours) && is_same_file(&theirs, &ours);
}

/* True if the executable, open as `fd`, isn't the file that its path leads to here. One without a name any more leads nowhere. */
static bool is_foreign(const char *path, int fd, uint32_t thread)
{
	size_t length = strlen(path), suffix = strlen(UNLINKED_SUFFIX);
	struct stat executed, named;

	if (!fstat(fd, &executed) && !stat(path, &named) && is_same_file(&executed, &named))
		return false;
	return length < suffix || strcmp(path + length - suffix, UNLINKED_SUFFIX) != 0 || !has_our_mounts(thread);
}

/* What a rule names is known by its name there, wherever the process sees it. */
static void name_foreign(const struct kernel *kernel, struct listener *listener)
{
	char *path = listener->foreign && listener->known && listener->binary != BINARY_ANY ?
		identified_path(kernel, listener->binary) : NULL;

	if (!path)
		return;
	free(listener->path);
	listener->path = path;
	listener->foreign = false;
}

/* Returns a descriptor, or -errno. */
static int open_executable(uint32_t thread)
{
	_cleanup_free_ char *link = text_format("/proc/%" PRIu32 "/exe", thread);
	int fd = open(link, O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* True if an executable couldn't be opened as the thread has ended, and not as it is none of ours to look at. */
static bool has_ended(int fd)
{
	return fd == -ENOENT || fd == -ESRCH;
}

/*
 * Opens the executable of a process, of whose threads the first one can end before the others. Sets *thread to one that
 * hasn't. Returns a descriptor, or -errno.
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

/* Sets the numbers of those whose executables are open as `fds`. Returns 0 or -errno. */
static int number_some(const struct kernel *kernel, const int *fds, struct listener *const *of, size_t count)
{
	struct identity *identities = must(calloc(count, sizeof(*identities)));
	int error = identify_files(kernel, fds, identities, count);

	for (size_t i = 0; i < count; i++) {
		of[i]->known = !error;
		if (of[i]->socket.processes)
			of[i]->binary = of[i]->socket.binary;
		else if (!error)
			of[i]->binary = executed_binary(kernel, fds[i], &identities[i]);
		name_foreign(kernel, of[i]);
		identity_clear(&identities[i]);
	}
	free(identities);
	return error;
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

/* Looks at the processes of the listeners, which are sorted by them. Returns 0 or -errno. */
static int look_at_processes(const struct kernel *kernel, struct listeners *listeners)
{
	struct listener *of[IDENTITIES_MAX];
	int fds[IDENTITIES_MAX], error = 0;
	size_t count = 0;

	for (size_t i = 0; i <= listeners->count && !error; i++) {
		struct listener *listener = &listeners->list[i];
		uint32_t thread;
		int fd;

		if (count && (i == listeners->count || count == IDENTITIES_MAX)) {
			error = number_some(kernel, fds, of, count);
			while (count)
				close(fds[--count]);
		}
		if (i == listeners->count || (i && listener[-1].socket.pid == listener->socket.pid))
			continue;
		fd = open_living(listener->socket.pid, &thread);
		listener->gone = has_ended(fd);
		if (listener->gone)
			continue;
		listener->path = executable_path(thread);
		listener->cgroup = cgroup_of(thread);
		listener->unit = unit_of(listener->cgroup);
		if (fd < 0)
			continue; /* it is none of ours to look at */
		listener->foreign = listener->path && is_foreign(listener->path, fd, thread);
		of[count] = listener;
		fds[count++] = fd;
	}
	for (size_t i = 1; i < listeners->count; i++)
		if (listeners->list[i].socket.pid == listeners->list[i - 1].socket.pid)
			copy_process(&listeners->list[i], &listeners->list[i - 1]);
	return error;
}

/* ---------------------------------------------------------------------------------------------
 * The list
 */

static int by_place(const void *a, const void *b)
{
	const struct listener *x = a, *y = b;
	int order;

	COMPARE(x->socket.local.port, y->socket.local.port);
	COMPARE(x->socket.family, y->socket.family);
	COMPARE(x->socket.protocol, y->socket.protocol);
	order = memcmp(x->socket.local.address, y->socket.local.address, sizeof(x->socket.local.address));
	if (order)
		return order;
	COMPARE(x->socket.netns, y->socket.netns);
	COMPARE(x->socket.socket, y->socket.socket);
	COMPARE(x->socket.uid, y->socket.uid);
	COMPARE(x->binary, y->binary);
	order = strcmp(x->path ?: "", y->path ?: "");
	if (order)
		return order;
	COMPARE(x->foreign, y->foreign);
	order = strcmp(x->cgroup ?: "", y->cgroup ?: "");
	if (order)
		return order;
	COMPARE(x->socket.pid, y->socket.pid);
	return 0;
}

static bool is_same(const struct listener *x, const struct listener *y)
{
	return x->socket.socket == y->socket.socket && x->socket.uid == y->socket.uid && x->binary == y->binary &&
	       !strcmp(x->path ?: "", y->path ?: "") && x->foreign == y->foreign &&
	       (!x->foreign || !strcmp(x->cgroup ?: "", y->cgroup ?: ""));
}

static void clear_one(struct listener *listener)
{
	free(listener->path);
	free(listener->unit);
	free(listener->cgroup);
}

/* Those whose process has ended meanwhile listen no more. */
static void drop_gone(struct listeners *listeners)
{
	size_t kept = 0;

	for (size_t i = 0; i < listeners->count; i++)
		if (listeners->list[i].gone)
			clear_one(&listeners->list[i]);
		else
			listeners->list[kept++] = listeners->list[i];
	listeners->count = kept;
}

/* Of equal ones, which stand side by side, one stays. A process that has a socket open twice counts once. */
static void join_same(struct listeners *listeners)
{
	size_t kept = 0;

	for (size_t i = 1; i < listeners->count; i++) {
		struct listener *last = &listeners->list[kept], *next = &listeners->list[i];

		if (!is_same(last, next)) {
			listeners->list[++kept] = *next;
			continue;
		}
		if (listeners->list[i - 1].socket.pid != next->socket.pid)
			last->processes++;
		clear_one(next);
	}
	if (listeners->count)
		listeners->count = kept + 1;
}

int listeners_note(const struct kernel *kernel)
{
	struct listeners listeners = { 0 };
	int error = list_sockets(kernel, &listeners);

	listeners_clear(&listeners);
	return error;
}

int listeners_find_each(const struct kernel *kernel, struct listeners *listeners)
{
	int error = list_sockets(kernel, listeners);

	if (!listeners->count)
		return error;
	qsort(listeners->list, listeners->count, sizeof(*listeners->list), by_pid);
	if (!error)
		error = look_at_processes(kernel, listeners);
	drop_gone(listeners);
	return error;
}

int listeners_find(const struct kernel *kernel, struct listeners *listeners)
{
	int error = listeners_find_each(kernel, listeners);

	if (!listeners->count)
		return error;
	qsort(listeners->list, listeners->count, sizeof(*listeners->list), by_place);
	join_same(listeners);
	return error;
}

struct request listener_request(const struct listener *listener, uint64_t now)
{
	return (struct request){
		.binary = listener->binary,
		.uid = listener->socket.uid,
		.protocol = listener->socket.class,
		.port = listener->socket.local.port,
		.now = now,
	};
}

bool listener_is_refused(const struct listener *listener, const struct image *image, uint64_t now)
{
	struct request request = listener_request(listener, now);

	return listener->known && listener->socket.pid != 1 && !decide_listen(image, &request);
}

bool listener_is_denied(const struct listener *listener, const struct image *image, uint64_t now)
{
	const struct request request = listener_request(listener, now);

	return image->count && image->pages->header.mode == MODE_ENFORCE &&
	       decide_verdict(image, decide_request(image, &request)) == VERDICT_DENY;
}

const char *listener_program(const struct listener *listener, char text[LISTENER_PROGRAM_MAX])
{
	if (!listener->path || !listener->foreign)
		return listener->path ? listener->path : "a program";
	snprintf(text, LISTENER_PROGRAM_MAX, "(%s)", listener->path);
	return text;
}

const char *listener_text(const struct listener *listener, char *text)
{
	const struct listening *socket = &listener->socket;
	const char *protocol = protocol_word(socket->family, socket->protocol);
	char address[ADDRESS_TEXT_MAX];

	if (!address_text(socket->family, &socket->local, address)) { /* a family without ports */
		snprintf(text, LISTENER_TEXT_MAX, "%s", protocol);
		return text;
	}
	if (socket->family == AF_VSOCK && !strcmp(address, "4294967295"))
		strcpy(address, "*"); /* any context id */
	snprintf(text, LISTENER_TEXT_MAX, socket->family == AF_INET6 ? "[%s]:%" PRIu32 "/%s" : "%s:%" PRIu32 "/%s", address,
		 socket->local.port, protocol);
	return text;
}

void listeners_clear(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++)
		clear_one(&listeners->list[i]);
	free(listeners->list);
	*listeners = (struct listeners){ 0 };
}
