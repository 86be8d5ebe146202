/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/interrupt.h"

#include <errno.h>
#include <linux/audit.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "enforce/base/child.h"
#include "enforce/base/when.h"
#include "enforce/change/accept_call.h"
#include "policy/cleanup.h"

#define MILLISECOND 1000000LL
/* All threads together have this long to stop. Those that can do so within microseconds. */
#define STOP_NS (1000 * MILLISECOND)
/* The tracer has a little longer: PTRACE_SEIZE itself may wait, for an execve(2) of the traced process. */
#define TRACER_MS 1500
#define TRACER_LAST_S 2 /* when it ends even if its parent was killed */
#define LOOK_NS (MILLISECOND / 4)

/* ---------------------------------------------------------------------------------------------
 * The tracer
 */

#ifdef __x86_64__
static bool is_compat(pid_t tid)
{
	struct __ptrace_syscall_info info = { 0 };

	/* The kernel gives the architecture at each stop. */
	return ptrace(PTRACE_GET_SYSCALL_INFO, tid, (void *)sizeof(info), &info) > 0 && info.arch == AUDIT_ARCH_I386;
}

static int64_t read_register(pid_t tid, size_t offset)
{
	return ptrace(PTRACE_PEEKUSER, tid, (void *)offset, NULL);
}

#define REGISTER(name) offsetof(struct user, regs.name)

/* Writes that one register, not all: so nothing else can change. */
static void restore_restart(pid_t tid)
{
	if (accept_call_lost_restart(is_compat(tid), read_register(tid, REGISTER(orig_rax)), read_register(tid, REGISTER(rax))))
		ptrace(PTRACE_POKEUSER, tid, (void *)REGISTER(rax), (void *)(intptr_t)ACCEPT_CALL_RESTART);
}
#else
static void restore_restart(pid_t tid)
{
	(void)tid;
}
#endif

/* Lets go of a thread that has stopped for the reason `stop`. A signal that came meanwhile is passed on; a stop by a signal lasts. */
static enum interrupt_result let_go(pid_t tid, int stop)
{
	int signal = stop >> 8 == PTRACE_EVENT_STOP ? 0 : stop;

	restore_restart(tid);
	/* ESRCH: it was killed. */
	return ptrace(PTRACE_DETACH, tid, NULL, (void *)(intptr_t)signal) ? INTERRUPT_NEEDLESS : INTERRUPT_DONE;
}

static enum interrupt_result why_not(int error)
{
	return error == ESRCH ? INTERRUPT_NEEDLESS : INTERRUPT_REFUSED;
}

/* Returns INTERRUPT_STUCK if its stop has to be waited for. */
static enum interrupt_result begin(const struct interrupt *thread, bool (*waits)(const struct interrupt *thread, void *data), void *data)
{
	if (ptrace(PTRACE_SEIZE, thread->tid, NULL, NULL))
		return why_not(errno);
	/* Look once more, right before the interruption: no other call of the thread should be interrupted. */
	if (!waits(thread, data))
		return INTERRUPT_NEEDLESS;
	return ptrace(PTRACE_INTERRUPT, thread->tid, NULL, NULL) ? why_not(errno) : INTERRUPT_STUCK;
}

/*
 * Returns INTERRUPT_STUCK if it hasn't stopped yet. The stop isn't taken off the thread (WNOWAIT): with that, a signal at which it
 * has stopped would be lost if this process was killed just then (Linux, kernel/exit.c: wait_task_stopped()).
 */
static enum interrupt_result look_for_stop(pid_t tid)
{
	siginfo_t seen = { .si_pid = 0 };

	if (waitid(P_PID, (id_t)tid, &seen, WSTOPPED | WEXITED | WNOHANG | WNOWAIT | __WALL))
		return INTERRUPT_NEEDLESS;
	if (!seen.si_pid)
		return INTERRUPT_STUCK;
	return seen.si_code == CLD_TRAPPED || seen.si_code == CLD_STOPPED ? let_go(tid, seen.si_status) : INTERRUPT_NEEDLESS;
}

static void let_go_of_stopped(struct interrupt *list, const bool *begun, size_t count)
{
	const struct timespec pause = { .tv_nsec = LOOK_NS };
	int64_t end = when_now().boot + STOP_NS;
	bool missing = true;

	while (missing && when_now().boot < end) {
		missing = false;
		for (size_t i = 0; i < count; i++) {
			if (!begun[i] || list[i].result != INTERRUPT_STUCK)
				continue;
			list[i].result = look_for_stop(list[i].tid);
			missing |= list[i].result == INTERRUPT_STUCK;
		}
		if (missing)
			nanosleep(&pause, NULL);
	}
}

/* Makes this process end within two seconds, whatever it waits for, and closes all that it has inherited. */
static void stand_alone(void)
{
	sigset_t alarms;

	close_range(0, ~0U, 0);
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	signal(SIGALRM, SIG_DFL);
	alarm(TRACER_LAST_S);
	sigprocmask(SIG_UNBLOCK, &alarms, NULL);
}

/* What the child does. Its end lets go of the threads that it traces and that don't stop. */
static void trace(struct interrupt *list, size_t count, bool (*waits)(const struct interrupt *thread, void *data), void *data)
{
	_cleanup_free_ bool *begun = must(calloc(count, sizeof(*begun)));

	stand_alone();
	for (size_t i = 0; i < count; i++) {
		list[i].result = begin(&list[i], waits, data);
		begun[i] = list[i].result == INTERRUPT_STUCK;
	}
	let_go_of_stopped(list, begun, count);
}

/* ---------------------------------------------------------------------------------------------
 * Its parent
 */

int interrupt_accepts(struct interrupt *list, size_t count, bool (*waits)(const struct interrupt *thread, void *data), void *data)
{
	size_t size = count * sizeof(*list);
	struct interrupt *shared = count ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) : NULL;
	pid_t tracer;
	int error = 0;

	if (!count)
		return 0;
	if (shared == MAP_FAILED)
		return -errno;
	memcpy(shared, list, size);
	for (size_t i = 0; i < count; i++)
		shared[i].result = INTERRUPT_STUCK;
	tracer = fork();
	if (!tracer) {
		trace(shared, count, waits, data);
		_exit(0);
	}
	if (tracer < 0) {
		error = -errno;
	} else {
		child_wait(tracer, TRACER_MS);
		memcpy(list, shared, size);
	}
	munmap(shared, size);
	return error;
}
