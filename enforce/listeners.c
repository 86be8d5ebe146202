/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/listeners.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "enforce/entries.h"
#include "enforce/event.h"
#include "enforce/link_target.h"
#include "policy/cleanup.h"
#include "policy/compare.h"
#include "policy/text.h"

static struct listener *add(struct listeners *listeners, const struct listening *socket)
{
	listeners->list = must(reallocarray(listeners->list, listeners->count + 1, sizeof(*listeners->list)));
	listeners->list[listeners->count] = (struct listener){ .socket = *socket, .processes = 1, .binary = BINARY_ANY };
	return &listeners->list[listeners->count++];
}

/* Reads what the iterator tells. Returns 0 or -errno. */
static int list_sockets(const struct kernel *kernel, struct listeners *listeners)
{
	_cleanup_close_ int link = bpf_link_create(kernel->fd[PROGRAM_LISTENERS], 0, BPF_TRACE_ITER, NULL);
	_cleanup_close_ int iterator = link < 0 ? -1 : bpf_iter_create(link);
	struct listening records[64];
	ssize_t length;

	if (iterator < 0)
		return -errno;
	while ((length = read(iterator, records, sizeof(records))) != 0) {
		if (length < 0 && errno == EAGAIN) /* it has looked at a million files without a listener */
			continue;
		if (length < 0)
			return -errno;
		for (size_t i = 0; i < (size_t)length / sizeof(records[0]); i++)
			add(listeners, &records[i]);
	}
	return 0;
}

/* ---------------------------------------------------------------------------------------------
 * Processes
 */

static int by_pid(const void *a, const void *b)
{
	const struct listener *x = a, *y = b;

	return x->socket.pid < y->socket.pid ? -1 : x->socket.pid > y->socket.pid;
}

/* The name of the outermost cgroup that is no slice, as the kernel side has it (bpf/unit.bpf.h); NULL: none. */
static char *unit_of(uint32_t pid)
{
	_cleanup_free_ char *path = text_format("/proc/%" PRIu32 "/cgroup", pid);
	_cleanup_fclose_ FILE *stream = fopen(path, "re");
	char line[PATH_MAX], *at, *name;

	while (stream && fgets(line, sizeof(line), stream)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0::/", 4) != 0)
			continue;
		at = line + 4;
		while ((name = strsep(&at, "/"))) {
			size_t length = strlen(name);

			if (length && (length < 6 || strcmp(name + length - 6, ".slice") != 0))
				return must(strdup(name));
		}
	}
	return NULL;
}

/* Sets the numbers of those whose executables are open as `fds`. Returns 0 or -errno. */
static int number_some(const struct kernel *kernel, const int *fds, struct listener *const *of, size_t count)
{
	struct identity *identities = must(calloc(count, sizeof(*identities)));
	int error = identify_files(kernel, fds, identities, count);

	for (size_t i = 0; i < count; i++) {
		int64_t number = error || identity_problem(&identities[i]) ? 0 :
				 entry_find(kernel, &identities[i], identities[i].name);

		if (!error && number <= 0 && !identity_problem(&identities[i]))
			number = tagged_binary(kernel, fds[i]);
		of[i]->binary = number > 0 ? (uint32_t)number : BINARY_ANY;
		of[i]->known = !error;
		identity_clear(&identities[i]);
	}
	free(identities);
	return error;
}

static void copy_process(struct listener *listener, const struct listener *same)
{
	listener->binary = same->binary;
	listener->known = same->known;
	listener->path = same->path ? must(strdup(same->path)) : NULL;
	listener->unit = same->unit ? must(strdup(same->unit)) : NULL;
}

/* Looks at the processes of the listeners, which are sorted by them. Returns 0 or -errno. */
static int look_at_processes(const struct kernel *kernel, struct listeners *listeners)
{
	struct listener *of[IDENTITIES_MAX];
	int fds[IDENTITIES_MAX], error = 0;
	size_t count = 0;

	for (size_t i = 0; i <= listeners->count && !error; i++) {
		struct listener *listener = &listeners->list[i];
		_cleanup_free_ char *link = NULL;
		int fd;

		if (count && (i == listeners->count || count == IDENTITIES_MAX)) {
			error = number_some(kernel, fds, of, count);
			while (count)
				close(fds[--count]);
		}
		if (i == listeners->count || (i && listener[-1].socket.pid == listener->socket.pid))
			continue;
		listener->path = executable_path(listener->socket.pid);
		listener->unit = unit_of(listener->socket.pid);
		link = text_format("/proc/%" PRIu32 "/exe", listener->socket.pid);
		fd = open(link, O_PATH | O_CLOEXEC);
		if (fd < 0)
			continue; /* it has ended, or is none of ours to look at */
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
	COMPARE(x->socket.pid, y->socket.pid);
	return 0;
}

static bool is_same(const struct listener *x, const struct listener *y)
{
	return x->socket.socket == y->socket.socket && x->socket.uid == y->socket.uid && x->binary == y->binary &&
	       !strcmp(x->path ?: "", y->path ?: "");
}

static void clear_one(struct listener *listener)
{
	free(listener->path);
	free(listener->unit);
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

int listeners_find(const struct kernel *kernel, struct listeners *listeners)
{
	int error = list_sockets(kernel, listeners);

	if (!listeners->count)
		return error;
	qsort(listeners->list, listeners->count, sizeof(*listeners->list), by_pid);
	if (!error)
		error = look_at_processes(kernel, listeners);
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

const char *listener_text(const struct listener *listener, char *text)
{
	const struct listening *socket = &listener->socket;
	const char *protocol = event_protocol(socket->family, socket->protocol);
	char address[EVENT_ADDRESS_MAX];

	event_address(socket->family, &socket->local, address);
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
