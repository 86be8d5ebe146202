/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A listener on the loopback with clients of its own in its queue, and what accept() on it came to: one of
 *
 *   accepted              ... and a byte came through
 *   accepted elsewhere    ... and the new descriptor is another process's
 *   EPERM                 ... and the queue is as it was
 *   error NAME            anything else
 *   not tried: WHY        there was no accept() to judge by
 */
#ifndef SOCKACCEPT_TESTS_LOOPBACK_H
#define SOCKACCEPT_TESTS_LOOPBACK_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOPBACK_CLIENTS 4
#define WAIT_MS 10000

static inline __attribute__((noreturn)) void not_tried(const char *what)
{
	printf("not tried: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

static inline bool readable(int fd, int timeout)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, timeout) == 1 && poll_fd.revents & POLLIN;
}

/* How many connections wait at a listener. */
static inline unsigned queue_of(int listener)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);

	if (getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &length))
		not_tried("TCP_INFO");
	return info.tcpi_unacked;
}

/* Each client has sent a byte. They stay open across exec. */
static inline void loopback_connect(const struct sockaddr_in *address)
{
	for (int i = 0; i < LOOPBACK_CLIENTS; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)))
			not_tried("connect");
		if (write(fd, "x", 1) != 1)
			not_tried("write");
	}
}

static inline int loopback_listen(unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
		not_tried("bind");
	if (listen(fd, LOOPBACK_CLIENTS))
		not_tried("listen");
	loopback_connect(&address);
	for (int waited = 0; queue_of(fd) < LOOPBACK_CLIENTS; waited++) {
		errno = ETIMEDOUT;
		if (waited == WAIT_MS / 10)
			not_tried("waiting for the connections");
		usleep(10000);
	}
	return fd;
}

static inline const char *outcome_of_fd(int fd)
{
	char byte = 0;

	if (fcntl(fd, F_GETFD) < 0)
		return "accepted elsewhere";
	if (!readable(fd, WAIT_MS) || read(fd, &byte, 1) != 1 || byte != 'x')
		return "error accepted, but nothing came through";
	return "accepted";
}

/* `result`: a descriptor or a negative error. `before`: the queue then. */
static inline void print_outcome(int result, int listener, unsigned before)
{
	unsigned expected = result < 0 ? before : before - 1;

	if (queue_of(listener) != expected)
		printf("error %d, and %u of %u connections are left\n", result, queue_of(listener), before);
	else if (result >= 0)
		puts(outcome_of_fd(result));
	else if (result == -EPERM)
		puts("EPERM");
	else
		printf("error %s\n", strerrorname_np(-result) ?: "unknown");
	fflush(stdout);
}

static inline void take(int listener)
{
	unsigned before = queue_of(listener);
	int fd;

	errno = ENOTCONN;
	if (!before)
		not_tried("the queue is empty");
	fd = accept(listener, NULL, NULL);
	print_outcome(fd < 0 ? -errno : fd, listener, before);
}

#endif
