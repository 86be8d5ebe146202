/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/drain.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "enforce/base/child.h"
#include "enforce/base/privileges.h"
#include "enforce/base/when.h"
#include "policy/cleanup.h"

/* So many listeners are named; of the others there is a number. */
#define LINES_MAX 4
/* An accept(2) on an empty queue waits, if its owner has set the listener so: it is interrupted as often as that. */
#define INTERRUPT_US 2000
#define SECOND 1000000000ULL

/* A listener that is to be drained, or whose gate is to be opened; in memory that the child shares. */
struct source {
	const struct listener *holder; /* one of those who hold it */
	bool opens;
	size_t taken;
	int error; /* errno; 0: its queue is empty. At first EAGAIN: its turn didn't come */
};

/* ---------------------------------------------------------------------------------------------
 * Which
 */

enum standing {
	STANDING_MAY,    /* it may accept; or that can't be told */
	STANDING_OTHERS, /* it may not, but holds the listener for others, or may under another condition */
	STANDING_NEVER,
};

static enum standing standing_of(const struct listener *listener, const struct image *image, uint64_t now)
{
	struct request request = listener_request(listener, now);

	if ((!listener->known && !listener->socket.processes) || !listener_is_denied(listener, image, now))
		return STANDING_MAY;
	return listener->socket.pid == 1 || !decide_never(image, &request) ? STANDING_OTHERS : STANDING_NEVER;
}

/* Returns the standing of whoever has the best of those `count`, who hold the same listener; who that is goes to *holder. */
static enum standing find_best(struct listener *const *same, size_t count, const struct image *image, uint64_t now, const struct listener **holder)
{
	enum standing best = standing_of(same[0], image, now);

	*holder = same[0];
	for (size_t i = 1; i < count; i++) {
		enum standing standing = standing_of(same[i], image, now);

		if (standing >= best)
			continue;
		best = standing;
		*holder = same[i];
	}
	return best;
}

/* Fills `source`, and returns true, if something is to be done about the listener that all `count` of `same` are. */
static bool make_source(struct listener *const *same, size_t count, const struct image *image, uint64_t now, struct source *source)
{
	const struct listening *socket = &same[0]->socket;
	bool gates = image->pages->header.flags & POLICY_GATES, shut = socket->gate == GATE_SHUT;
	enum standing standing;

	*source = (struct source){ .error = EAGAIN };
	standing = find_best(same, count, image, now, &source->holder);
	source->opens = standing == STANDING_MAY;
	if (source->opens)
		return gates && shut;
	if (!(image->pages->header.flags & POLICY_DRAINS))
		return false;
	/* Who holds it for others is no reason to think that those are denied; that somebody was, is. */
	if (standing == STANDING_OTHERS && !shut)
		return false;
	return socket->backlog || (gates && !shut);
}

static int by_socket(const void *a, const void *b)
{
	const struct listener *const *x = a, *const *y = b;

	return ((*x)->socket.socket > (*y)->socket.socket) - ((*x)->socket.socket < (*y)->socket.socket);
}

/* Fills `sources`, with room for each listener and one more. Returns how many. */
static size_t find_sources(const struct listeners *listeners, const struct image *image, struct source *sources)
{
	_cleanup_free_ struct listener **sorted = must(calloc(listeners->count + 1, sizeof(*sorted)));
	uint64_t now = (uint64_t)when_now().boot;
	size_t found = 0;

	for (size_t i = 0; i < listeners->count; i++)
		sorted[i] = &listeners->list[i];
	qsort(sorted, listeners->count, sizeof(struct listener *), by_socket);
	for (size_t first = 0, end; first < listeners->count; first = end) {
		for (end = first + 1; end < listeners->count && !by_socket(&sorted[first], &sorted[end]); end++)
			;
		found += make_source(&sorted[first], end - first, image, now, &sources[found]);
	}
	return found;
}

/* ---------------------------------------------------------------------------------------------
 * The child
 */

static int run_program(const struct kernel *kernel, struct draining *draining)
{
	/* The answer comes there, too. */
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = draining, .ctx_size_in = sizeof(*draining));

	return bpf_prog_test_run_opts(kernel->fd[PROGRAM_DRAIN], &options) ? -errno : 0;
}

/* Makes this task the one that may, for the holder of a listener. *may: it is; or else, the policy is locked. */
static int begin_draining(const struct kernel *kernel, const struct source *source, bool *may)
{
	const struct listener *holder = source->holder;
	struct draining draining = { .lasts = 2 * SECOND, .opens = source->opens, .binary = holder->binary, .uid = holder->socket.uid,
				     .gid = holder->socket.gid, .pid = holder->socket.pid };
	size_t length = holder->path && !holder->foreign ? strlen(holder->path) : 0;
	int error;

	if (!holder->known)
		draining.binary = holder->socket.binary;
	memcpy(draining.comm, holder->socket.comm, sizeof(draining.comm));
	/* Its number is the kernel's to know. */
	if (draining.binary == BINARY_ANY)
		draining.binary = BINARY_UNNAMED;
	if (length && length < PATH_ROOM) {
		draining.path.length = (uint32_t)length;
		memcpy(draining.path.path, holder->path, length);
	}
	error = run_program(kernel, &draining);
	*may = draining.may;
	return error ? error : draining.may || draining.locked ? 0 : -EBUSY;
}

/* A duplicate of the holder's descriptor, if that is still the same listener; or -errno. */
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

/* Takes one, and resets it. Returns 0, or errno: EAGAIN or EINTR if there is none. */
static int take_and_reset(int listener)
{
	int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (connection < 0)
		return errno;
	reset(connection);
	return 0;
}

/* Takes one that the kernel closes itself, as it can't write where the peer's address is to go (bpf/drain.bpf.h). */
static int take_and_lose(int listener)
{
	struct sockaddr_storage address;

	if (syscall(SYS_accept4, listener, &address, (void *)-4096L, SOCK_CLOEXEC) >= 0)
		return EPROTO; /* can't be */
	return errno == EFAULT ? 0 : errno;
}

/* True if an accept(2) that has failed so can take no more: nothing waits, or it doesn't listen any more. */
static bool is_empty(int error)
{
	return error == EAGAIN || error == EINTR || error == EINVAL;
}

/* True if a listener that couldn't be duplicated is gone. */
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
		take_and_reset(listener); /* which is refused, and opens the gate */
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

static void drain_sources(const struct kernel *kernel, struct source *sources, size_t count)
{
	size_t taken = 0;

	interrupt_often();
	/* Those that take no time first. */
	for (size_t i = 0; i < count; i++)
		if (sources[i].opens)
			drain_source(kernel, &sources[i], 0);
	for (size_t i = 0; i < count; i++) {
		if (sources[i].opens)
			continue;
		drain_source(kernel, &sources[i], DRAIN_MAX - taken);
		taken += sources[i].taken;
	}
	run_program(kernel, &(struct draining){ 0 });
}

/* ---------------------------------------------------------------------------------------------
 * Its parent
 */

static void add_undrained(struct drained *drained, const struct source *source)
{
	char program[LISTENER_PROGRAM_MAX];
	struct undrained *last;

	drained->list = must(reallocarray(drained->list, drained->count + 1, sizeof(*drained->list)));
	last = &drained->list[drained->count++];
	*last = (struct undrained){ .pid = source->holder->socket.pid, .error = source->error };
	last->program = must(strdup(listener_program(source->holder, program)));
	listener_text(source->holder, last->place);
}

/* What the child has come to. */
static void take_results(const struct source *sources, size_t count, struct drained *drained)
{
	for (size_t i = 0; i < count; i++) {
		drained->connections += sources[i].taken;
		if (sources[i].error || drained->connections >= DRAIN_MAX)
			add_undrained(drained, &sources[i]);
	}
}

static int drain_by_child(const struct kernel *kernel, struct source *sources, size_t count)
{
	pid_t child = fork();

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		drain_sources(kernel, sources, count);
		_exit(0);
	}
	if (child < 0)
		return -errno;
	child_wait(child, DRAIN_MS);
	return 0;
}

int drain(const struct kernel *kernel, const struct listeners *listeners, const struct image *image, struct drained *drained)
{
	size_t size = (listeners->count + 1) * sizeof(struct source), count;
	struct source *sources;
	int error = 0;

	if (!image->count || image->pages->header.mode != MODE_ENFORCE || !(image->pages->header.flags & (POLICY_DRAINS | POLICY_GATES)))
		return 0;
	sources = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sources == MAP_FAILED)
		return -errno;
	count = find_sources(listeners, image, sources);
	if (count)
		error = drain_by_child(kernel, sources, count);
	if (!error)
		take_results(sources, count, drained);
	munmap(sources, size);
	return error;
}

int drain_promise(const struct kernel *kernel, uint64_t ns)
{
	return run_program(kernel, &(struct draining){ .promise = ns });
}

/* ---------------------------------------------------------------------------------------------
 * Warnings
 */

static void warn_of(const struct undrained *left)
{
	if (!left->error)
		warn("connections still wait on %s of %s (pid %" PRIu32 "), which is denied: there are more than %d; the drain goes on if its "
		     "service runs: systemctl start sockaccept-drain", left->place, left->program, left->pid, DRAIN_MAX);
	else
		warn("what waits on %s of %s (pid %" PRIu32 "), which is denied, can't be taken out: %s%s", left->place, left->program, left->pid,
		     strerror(left->error), privileges_trace() ? "" : "; that takes the capability cap_sys_ptrace");
}

void drained_warn(const struct drained *drained)
{
	size_t shown = drained->count < LINES_MAX ? drained->count : LINES_MAX, more = drained->count - shown;

	for (size_t i = 0; i < shown; i++)
		warn_of(&drained->list[i]);
	if (more)
		warn("and %zu more listener%s couldn't be drained", more, more == 1 ? "" : "s");
}

void drained_clear(struct drained *drained)
{
	for (size_t i = 0; i < drained->count; i++)
		free(drained->list[i].program);
	free(drained->list);
	*drained = (struct drained){ 0 };
}
