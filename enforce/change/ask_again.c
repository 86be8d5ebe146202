/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/ask_again.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "enforce/base/privileges.h"
#include "enforce/base/when.h"
#include "enforce/change/accept_call.h"
#include "enforce/change/interrupt.h"
#include "policy/cleanup.h"
#include "policy/text.h"

/* So many processes are named; of the others there is a number. */
#define LINES_MAX 4
#define MILLISECOND 1000000LL
/*
 * A thread that runs may have passed the hook before the change, and not sleep yet. It is looked at again, after 1, 2, 4 ... 32 ms,
 * until it was seen anywhere but running; what it enters after that is judged anew anyway. One that still runs then doesn't wait.
 */
#define LOOKS 7
/* Interrupting is left at that; the last one takes a second and a half at most. */
#define ASKING_NS (1500 * MILLISECOND)

/* What it looks like that a thread does. */
enum look {
	LOOK_ELSEWHERE, /* it doesn't wait on a denied listener, or has ended */
	LOOK_RUNNING,   /* that can't be told yet */
	LOOK_WAITS,
	LOOK_REFUSED, /* that can't be told by us */
};

/* A process that has denied listeners: its entries of the list, which are side by side. */
struct holder {
	const struct listener *list;
	const bool *denied; /* of each */
	size_t count;
};

struct waiter {
	const struct holder *holder;
	const struct listener *listener; /* on which it waits; any denied one of the holder's, if that can't be told */
	pid_t tid;
	enum look look;
};

struct search {
	const struct listeners *listeners;
	bool *denied;           /* of each of them */
	struct holder *holders; /* of denied ones */
	size_t holder_count;
	struct waiter *threads; /* all threads of the holders */
	size_t thread_count, thread_room;
};

static pid_t pid_of(const struct holder *holder)
{
	return (pid_t)holder->list->socket.pid;
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

/* Returns the letter of its state (proc(5), stat); 'X', dead, if there is none any more. */
static char state_of(pid_t pid, pid_t tid)
{
	char stat[512];
	const char *name_end;

	if (read_of_thread(pid, tid, "stat", stat, sizeof(stat)))
		return 'X';
	name_end = strrchr(stat, ')');
	return name_end && name_end[1] == ' ' ? name_end[2] : 'X';
}

/*
 * True if it is stopped, by a signal or by a debugger: it has left accept(2) for that, or not entered it, and comes to the hook when
 * it goes on.
 */
static bool is_stopped(pid_t pid, pid_t tid)
{
	char state = state_of(pid, tid);

	return state == 'T' || state == 't';
}

/* Of a thread that has ended and is still there, PTRACE_SEIZE says EPERM, not ESRCH (Linux, kernel/ptrace.c: ptrace_attach()). */
static bool has_ended(pid_t pid, pid_t tid)
{
	char state = state_of(pid, tid);

	return state == 'Z' || state == 'X';
}

/* The denied listener that is open as `fd`; NULL: it is none. */
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

/* The int is in the other's memory. If it can't be read, it may be any. */
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
	case ACCEPT_BY_NUMBER:
		found = denied_by_number(holder, fd);
		break;
	case ACCEPT_BY_MEMORY:
		found = denied_by_memory(holder, address);
		break;
	case ACCEPT_NOT:
		break;
	}
	if (found)
		*listener = found;
	return found ? LOOK_WAITS : LOOK_ELSEWHERE;
}

/* Who may not read what a thread calls may still be told the kernel's function that it sleeps in: Yama, for one, leaves that. */
static enum look look_at_function(pid_t pid, pid_t tid)
{
	char function[128];

	if (read_of_thread(pid, tid, "wchan", function, sizeof(function)) || !strcmp(function, "0") || strstr(function, "accept"))
		return LOOK_REFUSED;
	return LOOK_ELSEWHERE;
}

static enum look look_at(const struct holder *holder, pid_t tid, const struct listener **listener)
{
	struct call call = { .state = CALL_NONE };
	char text[256];
	int error = read_of_thread(pid_of(holder), tid, "syscall", text, sizeof(text));

	if (error == -EPERM || error == -EACCES)
		return look_at_function(pid_of(holder), tid);
	if (error || !call_parse(text, &call))
		return LOOK_ELSEWHERE;
	if (call.state == CALL_RUNNING)
		return LOOK_RUNNING;
	return judge_call(holder, &call, listener);
}

/* ---------------------------------------------------------------------------------------------
 * Who is to be looked at
 */

/* Of whom it isn't known what its executable is, the kernel may know: by the process's own record. */
static bool is_denied(const struct listener *listener, const struct image *image, uint64_t now)
{
	struct listener guess = *listener;

	if (!listener->known && listener->socket.processes)
		guess.binary = listener->socket.binary;
	return listener_is_denied(&guess, image, now);
}

static void add_thread(struct search *search, const struct holder *holder, pid_t tid)
{
	if (search->thread_count == search->thread_room) {
		search->thread_room = search->thread_room ? 2 * search->thread_room : 64;
		search->threads = must(reallocarray(search->threads, search->thread_room, sizeof(*search->threads)));
	}
	search->threads[search->thread_count++] = (struct waiter){ holder, any_denied(holder), tid, LOOK_RUNNING };
}

/* A process that has ended meanwhile has none. */
static void add_threads(struct search *search, const struct holder *holder)
{
	_cleanup_free_ char *path = text_format("/proc/%d/task", pid_of(holder));
	_cleanup_closedir_ DIR *directory = opendir(path);
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid > 0)
			add_thread(search, holder, tid);
	}
}

static void add_holder(struct search *search, size_t first, size_t end)
{
	struct holder *holder;
	bool some = false;

	for (size_t i = first; i < end; i++)
		some |= search->denied[i];
	if (!some || search->listeners->list[first].socket.pid == (uint32_t)getpid())
		return;
	holder = &search->holders[search->holder_count++];
	*holder = (struct holder){ &search->listeners->list[first], &search->denied[first], end - first };
	add_threads(search, holder);
}

/* Finds the holders of denied listeners, and their threads. */
static void find_threads(struct search *search, const struct image *image)
{
	size_t count = search->listeners->count;
	uint64_t now = (uint64_t)when_now().boot;

	search->denied = must(calloc(count + 1, sizeof(*search->denied)));
	search->holders = must(calloc(count + 1, sizeof(*search->holders)));
	for (size_t i = 0; i < count; i++)
		search->denied[i] = is_denied(&search->listeners->list[i], image, now);
	for (size_t first = 0, end; first < count; first = end) {
		for (end = first + 1; end < count && search->listeners->list[end].socket.pid == search->listeners->list[first].socket.pid; end++)
			;
		add_holder(search, first, end);
	}
}

/* ---------------------------------------------------------------------------------------------
 * What is told of it
 */

static void add_unasked(struct asked_again *asked, const struct waiter *thread, enum unasked_why why)
{
	const struct listener *listener = thread->listener;
	char program[LISTENER_PROGRAM_MAX];
	struct unasked *last;

	/* Threads of a process come one after the other in each round; rounds are few. */
	for (size_t i = asked->count; i-- > 0;)
		if (asked->list[i].pid == listener->socket.pid)
			return;
	asked->list = must(reallocarray(asked->list, asked->count + 1, sizeof(*asked->list)));
	last = &asked->list[asked->count++];
	*last = (struct unasked){ .pid = listener->socket.pid, .why = why };
	last->program = must(strdup(listener_program(listener, program)));
	listener_text(listener, last->place);
}

static bool is_traced(pid_t pid, pid_t tid)
{
	char status[1024];
	const char *tracer;

	if (read_of_thread(pid, tid, "status", status, sizeof(status)))
		return false;
	tracer = strstr(status, "\nTracerPid:\t");
	return tracer && strtol(tracer + strlen("\nTracerPid:\t"), NULL, 10) != 0;
}

static void take_result(struct asked_again *asked, const struct waiter *thread, enum interrupt_result result)
{
	switch (result) {
	case INTERRUPT_DONE:
		asked->threads++;
		break;
	case INTERRUPT_NEEDLESS:
		break;
	case INTERRUPT_REFUSED:
		if (has_ended(pid_of(thread->holder), thread->tid))
			break;
		add_unasked(asked, thread, is_traced(pid_of(thread->holder), thread->tid) ? UNASKED_TRACED : UNASKED_REFUSED);
		break;
	case INTERRUPT_STUCK:
		add_unasked(asked, thread, UNASKED_STUCK);
		break;
	}
}

/* ---------------------------------------------------------------------------------------------
 * Asking
 */

/* The threads that are asked together. */
struct round {
	struct interrupt *list;
	struct waiter **threads; /* of each */
	size_t count;
};

static bool still_waits(const struct interrupt *interrupt, void *data)
{
	const struct round *round = data;
	const struct waiter *thread = round->threads[0];
	const struct listener *listener;

	for (size_t i = 0; thread->tid != interrupt->tid; i++)
		thread = round->threads[i];
	return look_at(thread->holder, thread->tid, &listener) == LOOK_WAITS;
}

static void ask(struct round *round, struct asked_again *asked)
{
	int error = interrupt_accepts(round->list, round->count, still_waits, round);

	for (size_t i = 0; i < round->count; i++)
		take_result(asked, round->threads[i], error ? INTERRUPT_REFUSED : round->list[i].result);
}

/* Looks at the threads of which it can't be told yet, and asks those that wait. Returns true if there are still such threads. */
static bool look_and_ask(struct search *search, struct asked_again *asked)
{
	_cleanup_free_ struct interrupt *list = must(calloc(search->thread_count + 1, sizeof(*list)));
	_cleanup_free_ struct waiter **threads = must(calloc(search->thread_count + 1, sizeof(struct waiter *)));
	struct round round = { list, threads, 0 };
	bool running = false;

	for (size_t i = 0; i < search->thread_count; i++) {
		struct waiter *thread = &search->threads[i];

		if (thread->look != LOOK_RUNNING)
			continue;
		thread->look = look_at(thread->holder, thread->tid, &thread->listener);
		running |= thread->look == LOOK_RUNNING;
		if (thread->look == LOOK_REFUSED)
			add_unasked(asked, thread, UNASKED_REFUSED);
		if (thread->look != LOOK_WAITS || is_stopped(pid_of(thread->holder), thread->tid))
			continue;
		list[round.count].tid = thread->tid;
		threads[round.count++] = thread;
	}
	if (round.count)
		ask(&round, asked);
	return running;
}

static void ask_all(struct search *search, struct asked_again *asked)
{
	int64_t end = when_now().boot + ASKING_NS;
	struct timespec pause = { .tv_nsec = MILLISECOND };

	for (int look = 1; look_and_ask(search, asked) && look < LOOKS && when_now().boot < end; look++) {
		nanosleep(&pause, NULL);
		pause.tv_nsec *= 2;
	}
}

static void clear_search(struct search *search)
{
	free(search->threads);
	free(search->holders);
	free(search->denied);
}

void ask_again(const struct listeners *listeners, const struct image *image, struct asked_again *asked)
{
	struct search search = { .listeners = listeners };

	if (!image->count || image->pages->header.mode != MODE_ENFORCE)
		return;
	find_threads(&search, image);
	ask_all(&search, asked);
	clear_search(&search);
}

/* ---------------------------------------------------------------------------------------------
 * Warnings
 */

/* The level at which Yama lets nobody trace, whatever their capabilities. */
static bool yama_forbids(void)
{
	_cleanup_close_ int fd = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);
	char level = '0';

	return fd >= 0 && read(fd, &level, 1) == 1 && level == '3';
}

static const char *explain(enum unasked_why why)
{
	switch (why) {
	case UNASKED_TRACED:
		return "it is being traced, as by a debugger";
	case UNASKED_STUCK:
		return "it didn't stop within a second";
	case UNASKED_REFUSED:
		break;
	}
	if (!privileges_trace())
		return "that takes the capability cap_sys_ptrace";
	return yama_forbids() ? "kernel.yama.ptrace_scope is 3, which lets nobody do that" : "the kernel refuses it";
}

void asked_again_warn(const struct asked_again *asked)
{
	size_t shown = asked->count < LINES_MAX ? asked->count : LINES_MAX, more = asked->count - shown;

	for (size_t i = 0; i < shown; i++) {
		const struct unasked *process = &asked->list[i];

		warn("%s (pid %" PRIu32 ") may take one more connection on %s, which is denied: a thread that waits in accept() can't be asked "
		     "again, as %s", process->program, process->pid, process->place, explain(process->why));
	}
	if (more)
		warn("and %zu more process%s may take one more connection", more, more == 1 ? "" : "es");
}

void asked_again_clear(struct asked_again *asked)
{
	for (size_t i = 0; i < asked->count; i++)
		free(asked->list[i].program);
	free(asked->list);
	*asked = (struct asked_again){ 0 };
}
