/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * crowd: eight servers that accept in different ways, each in a process of its own, and a client for each.
 *
 *   crowd COUNT PORT      COUNT connections in all, an eighth of them at each of PORT ... PORT + 7
 *
 * Two servers block in accept(), two wait in epoll and accept until nothing is left, two use an io_uring (one of them
 * by a multishot accept), two block on MPTCP. A server gives each connection one byte, for which its client waits; a client
 * of MPTCP for two seconds only, as now and then (seen: 6.12 on a busy machine, with nothing loaded) the byte never comes.
 * Prints "PORT HOW accepted N served N" for each pair, the first number the server's and the second the client's, and
 * exits with 1 if anything failed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define SERVERS 8
#define AT_A_TIME 16
#define KEPT 64 /* by a server: more than its client has at a time */

static void must(bool works, const char *what)
{
	if (works)
		return;
	fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static int listen_on(unsigned port, int type, int protocol)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | type, protocol), on = 1;

	must(fd >= 0, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	must(!bind(fd, (struct sockaddr *)&address, sizeof(address)), "bind");
	must(!listen(fd, 64), "listen");
	return fd;
}

/* Closed only when its client has gone: MPTCP now and then resets what was closed with data on its way. */
static void part(int *fd)
{
	char byte;

	if (*fd < 0)
		return;
	while (read(*fd, &byte, 1) > 0)
		;
	close(*fd);
	*fd = -1;
}

static int open_fds[KEPT] = { [0 ... KEPT - 1] = -1 };

static void serve(int fd, unsigned long *accepted)
{
	const struct timeval patience = { .tv_sec = 1 };
	int *place = &open_fds[*accepted % KEPT];

	must(fd >= 0, "accept");
	part(place);
	*place = fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	++*accepted;
	if (send(fd, "x", 1, MSG_NOSIGNAL) != 1)
		errno = 0; /* its client has gone, and will complain if it is one that should not */
}

static void part_all(void)
{
	for (int i = 0; i < KEPT; i++)
		part(&open_fds[i]);
}

static void by_accept(int listener, unsigned long wanted, unsigned long *accepted)
{
	while (*accepted < wanted)
		serve(accept(listener, NULL, NULL), accepted);
}

static void by_epoll(int listener, unsigned long wanted, unsigned long *accepted)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(0), fd;

	must(epoll >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event), "epoll");
	while (*accepted < wanted) {
		must(epoll_wait(epoll, &event, 1, -1) == 1, "epoll_wait");
		while ((fd = accept4(listener, NULL, NULL, 0)) >= 0)
			serve(fd, accepted);
		must(errno == EAGAIN, "accept4");
	}
}

static void by_uring(int listener, unsigned long wanted, unsigned long *accepted)
{
	struct io_uring ring;
	struct io_uring_cqe *cqe;

	must(!io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
	while (*accepted < wanted) {
		io_uring_prep_accept(io_uring_get_sqe(&ring), listener, NULL, NULL, 0);
		must(io_uring_submit(&ring) == 1, "io_uring_submit");
		must(!io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
		errno = cqe->res < 0 ? -cqe->res : 0;
		serve(cqe->res, accepted);
		io_uring_cqe_seen(&ring, cqe);
	}
	io_uring_queue_exit(&ring);
}

static void by_multishot(int listener, unsigned long wanted, unsigned long *accepted)
{
	struct io_uring ring;
	struct io_uring_cqe *cqe;
	bool armed = false;

	must(!io_uring_queue_init(64, &ring, 0), "io_uring_queue_init");
	while (*accepted < wanted) {
		if (!armed) {
			io_uring_prep_multishot_accept(io_uring_get_sqe(&ring), listener, NULL, NULL, 0);
			must(io_uring_submit(&ring) == 1, "io_uring_submit");
		}
		must(!io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
		armed = cqe->flags & IORING_CQE_F_MORE;
		errno = cqe->res < 0 ? -cqe->res : 0;
		serve(cqe->res, accepted);
		io_uring_cqe_seen(&ring, cqe);
	}
	io_uring_queue_exit(&ring);
}

static const struct way {
	const char *name;
	void (*run)(int listener, unsigned long wanted, unsigned long *accepted);
	int type, protocol;
} ways[SERVERS] = {
	{ "accept", by_accept, 0, 0 },
	{ "accept", by_accept, 0, 0 },
	{ "epoll", by_epoll, SOCK_NONBLOCK, 0 },
	{ "epoll", by_epoll, SOCK_NONBLOCK, 0 },
	{ "uring", by_uring, 0, 0 },
	{ "multishot", by_multishot, 0, 0 },
	{ "mptcp", by_accept, 0, IPPROTO_MPTCP },
	{ "mptcp", by_accept, 0, IPPROTO_MPTCP },
};

static int connect_to(const struct way *way, unsigned port)
{
	const struct timeval patience = { .tv_sec = way->protocol == IPPROTO_MPTCP ? 2 : 60 };
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, way->protocol);

	must(fd >= 0, "the client's socket");
	must(!connect(fd, (struct sockaddr *)&address, sizeof(address)), "connect");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

/*
 * A few at a time, so that processes change less often. A reset at the end leaves nothing in TIME_WAIT; but of MPTCP's the
 * other end may never hear.
 */
static void connect_often(const struct way *way, unsigned port, unsigned long wanted, unsigned long *served)
{
	const struct linger reset = { 1, 0 };
	int fds[AT_A_TIME];
	char byte;

	while (*served < wanted) {
		unsigned count = wanted - *served < AT_A_TIME ? (unsigned)(wanted - *served) : AT_A_TIME;

		for (unsigned i = 0; i < count; i++)
			fds[i] = connect_to(way, port);
		for (unsigned i = 0; i < count; i++) {
			must(read(fds[i], &byte, 1) == 1 || way->protocol == IPPROTO_MPTCP, "read");
			++*served;
			if (way->protocol != IPPROTO_MPTCP)
				setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
			close(fds[i]);
		}
	}
}

int main(int argc, char **argv)
{
	unsigned long each = argc == 3 ? strtoul(argv[1], NULL, 10) / SERVERS : 0;
	unsigned port = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	struct {
		unsigned long accepted, served;
	} * counts;
	int failed = 0, status;

	if (!each || !port) {
		fputs("usage: crowd COUNT PORT\n", stderr);
		return 2;
	}
	setpgid(0, 0);
	signal(SIGTERM, SIG_IGN);
	counts = mmap(NULL, SERVERS * sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(counts != MAP_FAILED, "mmap");
	for (unsigned i = 0; i < SERVERS; i++) {
		int listener = listen_on(port + i, ways[i].type, ways[i].protocol);

		if (!fork()) {
			signal(SIGTERM, SIG_DFL);
			ways[i].run(listener, each, &counts[i].accepted);
			part_all();
			_exit(0);
		}
		if (!fork()) {
			signal(SIGTERM, SIG_DFL);
			close(listener);
			connect_often(&ways[i], port + i, each, &counts[i].served);
			_exit(0);
		}
		close(listener);
	}
	while (wait(&status) > 0) {
		/* Whoever waits for one that has failed would wait for ever. */
		if (status && !failed)
			kill(0, SIGTERM);
		failed |= status;
	}
	for (unsigned i = 0; i < SERVERS; i++)
		printf("%u %s accepted %lu served %lu\n", port + i, ways[i].name, counts[i].accepted, counts[i].served);
	return failed ? 1 : 0;
}
