/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/drain_child.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "policy/cleanup.h"

/* An accept(2) on an empty queue waits, unless the listener's owner has set it not to. So it is interrupted this often. */
#define INTERRUPT_US 2000
#define SECOND 1000000000ULL

int drain_run_program(const struct kernel *kernel, struct draining *draining)
{
	/* The program writes its answer there too. */
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = draining, .ctx_size_in = sizeof(*draining));

	return bpf_prog_test_run_opts(kernel->fd[PROGRAM_DRAIN], &options) ? -errno : 0;
}

/*
 * Makes this task the one that the kernel side lets pass, on the listener of `source`. Sets *may to false where it lets nobody pass, as the
 * policy is locked. Returns 0 or -errno; -EBUSY: another task drains.
 */
static int begin_draining(const struct kernel *kernel, const struct source *source, bool *may)
{
	const struct listener *holder = source->holder;
	struct draining draining = { .lasts = 2 * SECOND,
				     .opens = source->opens,
				     .binary = holder->binary,
				     .uid = holder->socket.uid,
				     .gid = holder->socket.gid,
				     .pid = holder->socket.pid };
	size_t length = holder->path && !holder->foreign ? strlen(holder->path) : 0;
	int error;

	if (!holder->known)
		draining.binary = holder->socket.binary;
	memcpy(draining.comm, holder->socket.comm, sizeof(draining.comm));
	/* BINARY_ANY means that user space knows no number for it. */
	if (draining.binary == BINARY_ANY)
		draining.binary = BINARY_UNNAMED;
	if (length && length < PATH_ROOM) {
		draining.path.length = (uint32_t)length;
		memcpy(draining.path.path, holder->path, length);
	}
	error = drain_run_program(kernel, &draining);
	*may = draining.may;
	return error ? error : draining.may || draining.locked ? 0 : -EBUSY;
}

/* Returns a duplicate of the holder's descriptor, or -errno; -ESRCH: that is another listener by now. */
static int duplicate(const struct listener *holder)
{
	_cleanup_close_ int process = pidfd_open((pid_t)holder->socket.pid, 0);
	_cleanup_close_ int fd = process < 0 ? -1 : pidfd_getfd(process, (int)holder->socket.fd, 0);
	socklen_t length = sizeof(uint64_t);
	uint64_t cookie = 0;

	if (fd < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) || cookie != holder->socket.cookie)
		return -ESRCH;
	return TAKE_FD(fd);
}

static void reset(int connection)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(connection);
}

/* Takes one connection and resets it. Returns 0, or errno: EAGAIN or EINTR if none waits. */
static int take_and_reset(int listener)
{
	int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (connection < 0)
		return errno;
	reset(connection);
	return 0;
}

/*
 * Takes one connection that the kernel closes itself, as it can't write the peer's address (bpf/drain.bpf.h). Returns as take_and_reset().
 */
static int take_and_lose(int listener)
{
	struct sockaddr_storage address;

	if (syscall(SYS_accept4, listener, &address, (void *)-4096L, SOCK_CLOEXEC) >= 0)
		return EPROTO; /* can't be */
	return errno == EFAULT ? 0 : errno;
}

/* Returns true if accept(2) fails with `error` where nothing waits, or where the socket no longer listens. */
static bool is_empty(int error)
{
	return error == EAGAIN || error == EINTR || error == EINVAL;
}

/* Returns true if `error` of duplicate() means that the listener is gone. */
static bool is_gone(int error)
{
	return error == ESRCH || error == EBADF;
}

static void drain_source(const struct kernel *kernel, struct source *source, size_t room)
{
	_cleanup_close_ int listener = duplicate(source->holder);
	bool may = false;
	int error = listener < 0 ? -listener : -begin_draining(kernel, source, &may);

	if (source->opens && !error && may)
		take_and_reset(listener); /* the kernel side refuses it, and opens the gate */
	while (!source->opens && !error && source->taken < room) {
		error = may ? take_and_reset(listener) : take_and_lose(listener);
		source->taken += !error;
	}
	source->error = (listener < 0 ? is_gone(error) : is_empty(error)) ? 0 : error;
}

static void be_interrupted(int signal)
{
	(void)signal;
}

static void interrupt_often(void)
{
	const struct sigaction action = { .sa_handler = be_interrupted };
	const struct itimerval often = { { .tv_usec = INTERRUPT_US }, { .tv_usec = INTERRUPT_US } };
	sigset_t alarms;

	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	sigaction(SIGALRM, &action, NULL);
	sigprocmask(SIG_UNBLOCK, &alarms, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

void drain_sources(const struct kernel *kernel, struct source *sources, size_t count, size_t most)
{
	size_t taken = 0;

	interrupt_often();
	/* Gates first: opening one takes no time. */
	for (size_t i = 0; i < count; i++)
		if (sources[i].opens)
			drain_source(kernel, &sources[i], 0);
	for (size_t i = 0; i < count; i++) {
		if (sources[i].opens)
			continue;
		drain_source(kernel, &sources[i], most - taken);
		taken += sources[i].taken;
	}
	drain_run_program(kernel, &(struct draining){ 0 });
}
