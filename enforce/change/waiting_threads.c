/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/waiting_threads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "enforce/base/when.h"
#include "enforce/change/accept_call.h"
#include "policy/cleanup.h"
#include "policy/text.h"

static pid_t pid_of(const struct holder *holder)
{
	return (pid_t)holder->list->socket.pid;
}

pid_t thread_pid(const struct thread *thread)
{
	return pid_of(thread->holder);
}

/* ---------------------------------------------------------------------------------------------
 * What a thread does
 */

/* Reads /proc/PID/task/TID/`name` into `text`. Returns 0 or -errno. */
static int read_of_thread(pid_t pid, pid_t tid, const char *name, char *text, size_t size)
{
	_cleanup_free_ char *path = text_format("/proc/%d/task/%d/%s", pid, tid, name);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);

	if (length < 0)
		return -errno;
	text[length] = '\0';
	return 0;
}

/* What proc(5), /proc/PID/stat, tells about a thread, by the numbers of its fields there. */
struct thread_stat {
	char state;            /* 3; 'X': there is no such thread any more; '?': that can't be read */
	unsigned long flags;   /* 9: the kernel's PF_* */
	unsigned long pending; /* 31: the signals that are pending for this thread, the first in the lowest bit */
};

#define FLAG_EXITING 0x4 /* Linux, include/linux/sched.h: PF_EXITING */

/* Returns the number in field `field`, of which `at` is the blank before field 3; 0: there is no such field. */
static unsigned long number_in_field(const char *at, int field)
{
	for (int i = 3; at && i < field; i++)
		at = strchr(at + 1, ' ');
	return at ? strtoul(at, NULL, 10) : 0;
}

static struct thread_stat read_stat(const struct thread *thread)
{
	char stat[512];
	const char *name_end;
	int error = read_of_thread(thread_pid(thread), thread->tid, "stat", stat, sizeof(stat));

	if (error == -ENOENT || error == -ESRCH)
		return (struct thread_stat){ .state = 'X' };
	name_end = error ? NULL : strrchr(stat, ')');
	if (!name_end || name_end[1] != ' ')
		return (struct thread_stat){ .state = '?' };
	return (struct thread_stat){ name_end[2], number_in_field(name_end + 1, 9), number_in_field(name_end + 1, 31) };
}

/* Returns the denied listener that is open as `fd`, or NULL. */
static const struct listener *denied_by_number(const struct holder *holder, int fd)
{
	for (size_t i = 0; i < holder->count; i++)
		if (holder->denied[i] && holder->list[i].socket.fd == (uint32_t)fd)
			return &holder->list[i];
	return NULL;
}

static const struct listener *any_denied(const struct holder *holder)
{
	size_t i = 0;

	while (!holder->denied[i])
		i++;
	return &holder->list[i];
}

/* The descriptor stands in the memory of the process. If it can't be read, it may be any denied listener. */
static const struct listener *denied_by_memory(const struct holder *holder, uint64_t address)
{
	int fd = -1;
	const struct iovec here = { &fd, sizeof(fd) }, there = { (void *)(uintptr_t)address, sizeof(fd) };

	if (process_vm_readv(pid_of(holder), &here, 1, &there, 1, 0) != sizeof(fd))
		return any_denied(holder);
	return denied_by_number(holder, fd);
}

/* Sets *listener, and returns LOOK_WAITS, if `call` is accept(2) on a denied listener. */
static enum look judge_call(const struct holder *holder, const struct call *call, const struct listener **listener)
{
	const struct listener *found = NULL;
	uint64_t address = 0;
	int fd = -1;

	switch (accept_call_kind(call, &fd, &address)) {
	case ACCEPT_BY_NUMBER: found = denied_by_number(holder, fd); break;
	case ACCEPT_BY_MEMORY: found = denied_by_memory(holder, address); break;
	case ACCEPT_NOT: break;
	}
	if (found)
		*listener = found;
	return found ? LOOK_WAITS : LOOK_ELSEWHERE;
}

/*
 * If the system call of a thread can't be read, the name of the kernel function that it sleeps in often can: Yama, for one, allows that.
 */
static enum look look_at_function(pid_t pid, pid_t tid)
{
	char function[128];

	if (read_of_thread(pid, tid, "wchan", function, sizeof(function)) || !strcmp(function, "0") || strstr(function, "accept"))
		return LOOK_REFUSED;
	return LOOK_ELSEWHERE;
}

enum look thread_look(const struct thread *thread, const struct listener **listener)
{
	struct call call = { .state = CALL_NONE };
	char text[256];
	int error = read_of_thread(thread_pid(thread), thread->tid, "syscall", text, sizeof(text));

	if (error == -EPERM || error == -EACCES)
		return look_at_function(thread_pid(thread), thread->tid);
	if (error || !call_parse(text, &call))
		return LOOK_ELSEWHERE;
	if (call.state == CALL_RUNNING)
		return LOOK_RUNNING;
	return judge_call(thread->holder, &call, listener);
}

bool thread_is_stopped(const struct thread *thread)
{
	char state = read_stat(thread).state;

	return state == 'T' || state == 't';
}

bool thread_ends(const struct thread *thread)
{
	struct thread_stat seen = read_stat(thread);

	return seen.state == 'Z' || seen.state == 'X' || seen.flags & FLAG_EXITING || seen.pending & 1UL << (SIGKILL - 1);
}

bool thread_is_traced(const struct thread *thread)
{
	char status[1024];
	const char *tracer;

	if (read_of_thread(thread_pid(thread), thread->tid, "status", status, sizeof(status)))
		return false;
	tracer = strstr(status, "\nTracerPid:\t");
	return tracer && strtol(tracer + strlen("\nTracerPid:\t"), NULL, 10) != 0;
}

/* ---------------------------------------------------------------------------------------------
 * Which threads there are
 */

/* Where user space can't tell the executable, the kernel may know it, from what it has recorded of the process. */
static bool is_denied(const struct listener *listener, const struct image *image, uint64_t now)
{
	struct listener guess = *listener;

	if (!listener->known && listener->socket.processes)
		guess.binary = listener->socket.binary;
	return listener_is_denied(&guess, image, now);
}

static void add_thread(struct threads *threads, const struct holder *holder, pid_t tid)
{
	if (threads->count == threads->room) {
		threads->room = threads->room ? 2 * threads->room : 64;
		threads->list = must(reallocarray(threads->list, threads->room, sizeof(*threads->list)));
	}
	threads->list[threads->count++] = (struct thread){ holder, any_denied(holder), tid, LOOK_RUNNING };
}

static void add_threads(struct threads *threads, const struct holder *holder)
{
	_cleanup_free_ char *path = text_format("/proc/%d/task", pid_of(holder));
	_cleanup_closedir_ DIR *directory = opendir(path);
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid > 0)
			add_thread(threads, holder, tid);
	}
}

static void add_holder(struct threads *threads, size_t first, size_t end)
{
	struct holder *holder;
	bool some = false;

	for (size_t i = first; i < end; i++)
		some |= threads->denied[i];
	if (!some || threads->listeners->list[first].socket.pid == (uint32_t)getpid())
		return;
	holder = &threads->holders[threads->holder_count++];
	*holder = (struct holder){ &threads->listeners->list[first], &threads->denied[first], end - first };
	add_threads(threads, holder);
}

void threads_find(struct threads *threads, const struct listeners *listeners, const struct image *image)
{
	const struct listener *list = listeners->list;
	size_t count = listeners->count;
	uint64_t now = (uint64_t)when_now().boot;

	threads->listeners = listeners;
	threads->denied = must(calloc(count + 1, sizeof(*threads->denied)));
	threads->holders = must(calloc(count + 1, sizeof(*threads->holders)));
	for (size_t i = 0; i < count; i++)
		threads->denied[i] = is_denied(&list[i], image, now);
	for (size_t first = 0, end; first < count; first = end) {
		for (end = first + 1; end < count && list[end].socket.pid == list[first].socket.pid; end++)
			;
		add_holder(threads, first, end);
	}
}

void threads_clear(struct threads *threads)
{
	free(threads->list);
	free(threads->holders);
	free(threads->denied);
	*threads = (struct threads){ 0 };
}
