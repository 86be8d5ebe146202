/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/ask_again.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "enforce/base/privileges.h"
#include "enforce/base/when.h"
#include "enforce/change/interrupt.h"
#include "enforce/change/waiting_threads.h"
#include "policy/cleanup.h"

#define MILLISECOND 1000000LL
/*
 * A thread that runs may have passed the hook before the change, and not sleep yet. It is looked at again, after 1, 2, 4 ... 32 ms,
 * until it was seen anywhere but running; what it enters after that is judged anew anyway. One that still runs then doesn't wait.
 */
#define LOOKS 7
/* No thread is interrupted any more after this time; the last round takes a second and a half at most. */
#define ASKING_NS (1500 * MILLISECOND)

/* Why a process couldn't be asked: of its first such thread. */
enum unasked_why {
	UNASKED_TRACED,  /* a debugger has it, and a thread has one tracer at most */
	UNASKED_REFUSED, /* the kernel lets this process neither look at it nor trace it */
	UNASKED_STUCK,   /* it didn't stop within a second */
};

/* ---------------------------------------------------------------------------------------------
 * What couldn't be asked
 */

static void add_unasked(struct leftovers *unasked, const struct thread *thread, enum unasked_why why)
{
	/* Threads of a process come one after the other in each round; rounds are few. */
	for (size_t i = unasked->count; i-- > 0;)
		if (unasked->list[i].pid == thread->listener->socket.pid)
			return;
	leftovers_add(unasked, thread->listener, (int)why);
}

static void take_result(struct leftovers *unasked, const struct thread *thread, enum interrupt_result result)
{
	if (result == INTERRUPT_DONE || result == INTERRUPT_NEEDLESS || thread_ends(thread))
		return;
	if (result == INTERRUPT_STUCK)
		add_unasked(unasked, thread, UNASKED_STUCK);
	else
		add_unasked(unasked, thread, thread_is_traced(thread) ? UNASKED_TRACED : UNASKED_REFUSED);
}

/* ---------------------------------------------------------------------------------------------
 * Asking
 */

/* The threads that are asked together. */
struct round {
	struct interrupt *list;
	struct thread **threads; /* of each */
	size_t count;
};

static bool still_waits(const struct interrupt *interrupt, void *data)
{
	const struct round *round = data;
	const struct thread *thread = round->threads[0];
	const struct listener *listener;

	for (size_t i = 0; thread->tid != interrupt->tid; i++)
		thread = round->threads[i];
	return thread_look(thread, &listener) == LOOK_WAITS;
}

static void ask(struct round *round, struct leftovers *unasked)
{
	int error = interrupt_accepts(round->list, round->count, still_waits, round);

	for (size_t i = 0; i < round->count; i++)
		take_result(unasked, round->threads[i], error ? INTERRUPT_REFUSED : round->list[i].result);
}

/* Looks at the threads that still ran when last seen, and asks those that wait. Returns true if some still run. */
static bool look_and_ask(struct threads *threads, struct leftovers *unasked)
{
	_cleanup_free_ struct interrupt *list = must(calloc(threads->count + 1, sizeof(*list)));
	_cleanup_free_ struct thread **asked = must(calloc(threads->count + 1, sizeof(struct thread *)));
	struct round round = { list, asked, 0 };
	bool running = false;

	for (size_t i = 0; i < threads->count; i++) {
		struct thread *thread = &threads->list[i];

		if (thread->look != LOOK_RUNNING)
			continue;
		thread->look = thread_look(thread, &thread->listener);
		running |= thread->look == LOOK_RUNNING;
		if (thread->look == LOOK_REFUSED)
			add_unasked(unasked, thread, UNASKED_REFUSED);
		if (thread->look != LOOK_WAITS || thread_is_stopped(thread))
			continue;
		list[round.count].tid = thread->tid;
		asked[round.count++] = thread;
	}
	if (round.count)
		ask(&round, unasked);
	return running;
}

static void ask_all(struct threads *threads, struct leftovers *unasked)
{
	int64_t end = when_now().boot + ASKING_NS;
	struct timespec pause = { .tv_nsec = MILLISECOND };

	for (int look = 1; look_and_ask(threads, unasked) && look < LOOKS && when_now().boot < end; look++) {
		nanosleep(&pause, NULL);
		pause.tv_nsec *= 2;
	}
}

void ask_again(const struct listeners *listeners, const struct image *image, struct leftovers *unasked)
{
	struct threads threads = { 0 };

	if (!image->count || image->pages->header.mode != MODE_ENFORCE)
		return;
	threads_find(&threads, listeners, image);
	ask_all(&threads, unasked);
	threads_clear(&threads);
}

/* ---------------------------------------------------------------------------------------------
 * Warnings
 */

/* Returns true if Yama is at the level at which it lets nobody trace, whatever their capabilities. */
static bool yama_forbids(void)
{
	_cleanup_close_ int fd = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);
	char level = '0';

	return fd >= 0 && read(fd, &level, 1) == 1 && level == '3';
}

static const char *explain(enum unasked_why why)
{
	switch (why) {
	case UNASKED_TRACED: return "it is being traced, as by a debugger";
	case UNASKED_STUCK: return "it didn't stop within a second";
	case UNASKED_REFUSED: break;
	}
	if (!privileges_trace())
		return "that takes the capability cap_sys_ptrace";
	return yama_forbids() ? "kernel.yama.ptrace_scope is 3, which lets nobody do that" : "the kernel refuses it";
}

static void warn_of(const struct leftover *left)
{
	warn("%s (pid %" PRIu32 ") may take one more connection on %s, which is denied: a thread that waits in accept() can't be asked "
	     "again, as %s",
	     left->program, left->pid, left->place, explain((enum unasked_why)left->why));
}

void unasked_warn(const struct leftovers *unasked)
{
	leftovers_warn(unasked, warn_of, "process may take one more connection", "processes may take one more connection");
}
