/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * carry: carries a listener, or a ring of io_uring, from one binary to another, and accepts on the way.
 *
 *   carry STEP...        one after the other:
 *
 *   listen PORT          a listener with connections waiting, which later steps are about
 *   take                 accept(), and prints the outcome (see loopback.h)
 *   wait FILE            waits until there is such a file
 *   /PATH                executes it: a copy of carry goes on with the next step, anything else takes them as arguments
 *   fork                 a child goes on, its parent waits
 *   orphan               a child goes on, whose parent is gone
 *   vfork                the same with vfork(); a /PATH must come next
 *   thread               another thread goes on, the first one waits
 *   threads N            as many threads, all alive, take in turn
 *   memfd PATH           executes a copy of it that has no name in any directory; the rest are its arguments
 *   fexecve PATH         executes it by descriptor
 *   procfd PATH          executes it as /proc/self/fd/N
 *   pass WHAT            a child goes on without the listener, or ring, which it is sent over a UNIX socket
 *   receive WHAT         ... and gets it there
 *   ring, sqpoll         makes a ring, or finds its way about in the one that the process was started with
 *   as UID               what is submitted from now on, is with the credentials of this user
 *   submit, async        accept() by the ring, and prints the outcome; async: by a worker
 *
 * So `/b/carry listen 80 take /a/carry take /b/carry take` prints three outcomes, each of another execution.
 */
#include "loopback.h"

#include <liburing.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* Descriptors that processes hand on to each other. */
enum {
	LISTENER = 40,
	CHANNEL = 41,
	RING = 42
};

#define ENTRIES 8

static void run(char **steps);

static struct io_uring ring;
static int personality;

static void keep_as(int fd, int number)
{
	if (fd < 0 || dup2(fd, number) < 0)
		not_tried("a descriptor");
	close(fd);
}

static void wait_for(pid_t child)
{
	int status = 0;

	if (child < 0 || waitpid(child, &status, 0) < 0)
		not_tried("fork");
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* ---------------------------------------------------------------------------------------------
 * Executing and going on elsewhere
 */

static void execute(char **steps)
{
	fflush(stdout);
	execv(steps[0], steps);
	not_tried(steps[0]);
}

static void execute_fd(int fd, char **steps)
{
	if (fd < 0)
		not_tried(steps[0]);
	fexecve(fd, steps, environ);
	not_tried("fexecve");
}

static int copy_in_memory(const char *path)
{
	int from = open(path, O_RDONLY | O_CLOEXEC), to = memfd_create("copy", MFD_CLOEXEC);
	char bytes[4096];
	ssize_t length;

	while ((length = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, length) != length)
			not_tried("write");
	if (from < 0 || length)
		not_tried(path);
	return to;
}

static void execute_link(char **steps)
{
	char path[32];
	int fd = open(steps[0], O_RDONLY);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	execv(path, steps);
	not_tried(path);
}

static void go_on_alone(char **rest)
{
	pid_t child = fork();

	if (child < 0)
		not_tried("fork");
	if (child)
		exit(0);
	for (int waited = 0; getppid() != 1 && waited < WAIT_MS / 10; waited++)
		usleep(10000);
	run(rest);
	exit(0);
}

static void go_on_in_child(char **steps)
{
	pid_t child = fork();

	if (child)
		wait_for(child);
	run(steps);
	exit(0);
}

static void go_on_after_vfork(char **steps)
{
	pid_t child = vfork();

	if (child)
		wait_for(child);
	execv(steps[0], steps);
	_exit(1);
}

static void *run_in_thread(void *steps)
{
	run(steps);
	return NULL;
}

static void go_on_in_thread(char **steps)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, run_in_thread, steps);
	if (errno || pthread_join(thread, NULL))
		not_tried("pthread_create");
	exit(0);
}

static pthread_barrier_t all_alive;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static void *take_in_turn(void *unused)
{
	pthread_barrier_wait(&all_alive);
	pthread_mutex_lock(&turn);
	take(LISTENER);
	pthread_mutex_unlock(&turn);
	pthread_barrier_wait(&all_alive);
	return unused;
}

static void take_in_threads(unsigned count)
{
	pthread_t thread;

	pthread_barrier_init(&all_alive, NULL, count + 1);
	for (unsigned i = 0; i < count; i++)
		if (pthread_create(&thread, NULL, take_in_turn, NULL))
			not_tried("pthread_create");
	pthread_barrier_wait(&all_alive);
	pthread_barrier_wait(&all_alive);
}

/* ---------------------------------------------------------------------------------------------
 * Descriptors over a UNIX socket
 */

static int number_of(const char *what)
{
	return strcmp(what, "ring") ? LISTENER : RING;
}

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static struct msghdr message_of(struct iovec *data, union control *control)
{
	return (struct msghdr){ .msg_iov = data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(*control) };
}

static void send_fd(int channel, int fd)
{
	union control control = { .header = { .cmsg_len = CMSG_LEN(sizeof(fd)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec data = { .iov_base = "x", .iov_len = 1 };
	struct msghdr message = message_of(&data, &control);

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(channel, &message, 0) != 1) {
		printf("not passed: %s\n", strerrorname_np(errno) ?: "unknown");
		exit(1);
	}
}

static void receive(int number)
{
	union control control = { 0 };
	char byte;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = message_of(&data, &control);
	int fd;

	if (recvmsg(CHANNEL, &message, 0) != 1)
		exit(1); /* its parent has said why */
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	keep_as(fd, number);
}

static void pass(int number, char **steps)
{
	int ends[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		not_tried("socketpair");
	fflush(stdout);
	child = fork();
	if (!child) {
		close(number);
		keep_as(ends[0], CHANNEL);
		run(steps);
		exit(0);
	}
	close(ends[0]);
	send_fd(ends[1], number);
	wait_for(child);
}

/* ---------------------------------------------------------------------------------------------
 * Rings
 */

static void make_ring(unsigned flags)
{
	int error = io_uring_queue_init(ENTRIES, &ring, flags);

	errno = -error;
	if (error || dup2(ring.ring_fd, RING) < 0)
		not_tried("a ring");
}

/* Somebody else has made it: its offsets are those of any ring with as many entries. */
static void find_ring(unsigned flags)
{
	struct io_uring_params params = { 0 };
	struct io_uring other;
	int error = io_uring_queue_init_params(ENTRIES, &other, &params);

	errno = -error;
	if (error)
		not_tried("another ring");
	io_uring_queue_exit(&other);
	params.flags = flags;
	errno = -io_uring_queue_mmap(RING, &params, &ring);
	if (errno)
		not_tried("mmap of the ring");
	ring.features = params.features;
	ring.sq.sqe_head = ring.sq.sqe_tail = *ring.sq.ktail;
}

static void have_ring(unsigned flags)
{
	if (fcntl(RING, F_GETFD) < 0)
		make_ring(flags);
	else
		find_ring(flags);
}

static void submit_as(uid_t user)
{
	uid_t own = geteuid();

	if (seteuid(user))
		not_tried("seteuid");
	personality = io_uring_register_personality(&ring);
	errno = -personality;
	if (personality < 0 || seteuid(own))
		not_tried("io_uring_register_personality");
}

static int complete(void)
{
	struct __kernel_timespec timeout = { .tv_sec = WAIT_MS / 1000 };
	struct io_uring_cqe *cqe;
	int error = io_uring_submit(&ring);

	if (error >= 0)
		error = io_uring_wait_cqe_timeout(&ring, &cqe, &timeout);
	if (error < 0)
		return error;
	error = cqe->res;
	io_uring_cqe_seen(&ring, cqe);
	return error;
}

static void submit(unsigned char flags)
{
	unsigned before = queue_of(LISTENER);
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe)
		not_tried("the ring is full");
	io_uring_prep_accept(sqe, LISTENER, NULL, NULL, 0);
	sqe->flags |= flags;
	sqe->personality = personality;
	print_outcome(complete(), LISTENER, before);
}

/* Says that it waits by making FILE.ready. */
static void wait_for_file(const char *file)
{
	char ready[256];
	int fd;

	snprintf(ready, sizeof(ready), "%s.ready", file);
	fd = open(ready, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		not_tried(ready);
	close(fd);
	for (int waited = 0; access(file, F_OK); waited++) {
		if (waited == 6 * WAIT_MS / 10)
			not_tried(file);
		usleep(10000);
	}
}

/* ---------------------------------------------------------------------------------------------
 * Steps
 */

static bool is(const char *step, const char *name)
{
	return !strcmp(step, name);
}

/* Those that go on with the next step here. */
static bool run_plain(const char *step)
{
	if (is(step, "take"))
		take(LISTENER);
	else if (is(step, "ring"))
		have_ring(0);
	else if (is(step, "sqpoll"))
		have_ring(IORING_SETUP_SQPOLL);
	else if (is(step, "submit"))
		submit(0);
	else if (is(step, "async"))
		submit(IOSQE_ASYNC);
	else
		return false;
	return true;
}

static bool run_with_argument(const char *step, const char *argument)
{
	if (is(step, "listen"))
		keep_as(loopback_listen(strtoul(argument, NULL, 10)), LISTENER);
	else if (is(step, "threads"))
		take_in_threads(strtoul(argument, NULL, 10));
	else if (is(step, "as"))
		submit_as(strtoul(argument, NULL, 10));
	else if (is(step, "receive"))
		receive(number_of(argument));
	else if (is(step, "wait"))
		wait_for_file(argument);
	else
		return false;
	return true;
}

/* Those after which others go on. */
static void run_rest(const char *step, char **rest)
{
	fflush(stdout);
	if (is(step, "fork"))
		go_on_in_child(rest);
	else if (is(step, "orphan"))
		go_on_alone(rest);
	else if (is(step, "vfork"))
		go_on_after_vfork(rest);
	else if (is(step, "thread"))
		go_on_in_thread(rest);
	else if (is(step, "memfd"))
		execute_fd(copy_in_memory(rest[0]), rest);
	else if (is(step, "fexecve"))
		execute_fd(open(rest[0], O_RDONLY | O_CLOEXEC), rest);
	else if (is(step, "procfd"))
		execute_link(rest);
	else if (is(step, "pass"))
		pass(number_of(rest[0]), rest + 1);
}

static void run(char **steps)
{
	while (*steps) {
		const char *step = *steps++;

		if (*step == '/')
			execute(steps - 1);
		if (run_plain(step))
			continue;
		if (*steps && run_with_argument(step, *steps)) {
			steps++;
			continue;
		}
		if (*steps)
			run_rest(step, steps);
		fprintf(stderr, "carry: what is %s?\n", step);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1)
		run(argv + 1);
	return argc > 1 ? 0 : 2;
}
