/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists sockets through an iterator of the kernel side, then looks at their processes, sorts, and joins what is one for the reader.
 */
#include "enforce/kernel/listeners.h"

#include <stdlib.h>
#include <string.h>

#include "enforce/kernel/iterate.h"
#include "enforce/kernel/listener_process.h"
#include "policy/cleanup.h"
#include "policy/compare.h"

static void take_socket(const void *record, void *data)
{
	struct listeners *listeners = data;

	listeners->list = must(reallocarray(listeners->list, listeners->count + 1, sizeof(*listeners->list)));
	listeners->list[listeners->count++] = (struct listener){
		.socket = *(const struct listening *)record,
		.processes = 1,
		.binary = BINARY_ANY,
	};
}

/* Adds each listening socket of each process. Returns 0 or -errno. */
static int list_sockets(const struct kernel *kernel, struct listeners *listeners)
{
	return iterate(kernel->fd[PROGRAM_LISTENERS], sizeof(struct listening), take_socket, listeners);
}

static int by_pid(const void *a, const void *b)
{
	const struct listener *x = a, *y = b;

	return x->socket.pid < y->socket.pid ? -1 : x->socket.pid > y->socket.pid;
}

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

/* Returns true if both are one entry of the list: paths in different containers are different programs. */
static bool is_same(const struct listener *x, const struct listener *y)
{
	return x->socket.socket == y->socket.socket && x->socket.uid == y->socket.uid && x->binary == y->binary &&
	       !strcmp(x->path ?: "", y->path ?: "") && x->foreign == y->foreign &&
	       (!x->foreign || !strcmp(x->cgroup ?: "", y->cgroup ?: ""));
}

/* Drops those whose process has ended since the kernel side listed them. */
static void drop_gone(struct listeners *listeners)
{
	size_t kept = 0;

	for (size_t i = 0; i < listeners->count; i++)
		if (listeners->list[i].gone)
			listener_clear(&listeners->list[i]);
		else
			listeners->list[kept++] = listeners->list[i];
	listeners->count = kept;
}

/* Joins equal listeners, which stand side by side, into one. A process that has a socket open twice counts once. */
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
		listener_clear(next);
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
		error = listener_processes(kernel, listeners->list, listeners->count);
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

void listeners_clear(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++)
		listener_clear(&listeners->list[i]);
	free(listeners->list);
	*listeners = (struct listeners){ 0 };
}
