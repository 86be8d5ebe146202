/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * moved: a thread waits in accept() on one port, and its listener is moved to another one under it.
 *
 *   moved FAMILY FROM HOW TO
 *
 * FAMILY  inet, inet6, mptcp or sctp
 * FROM    the port that it listens on first; 0: one that the kernel chooses
 * HOW     shutdown, connect (to AF_UNSPEC), or stay (the socket only listens again, with another backlog)
 * TO      the port that it listens on then; 0: another one that the kernel chooses
 *
 * Prints what listen() said the second time and what came of the thread's accept(), on one line: `listens` or the error's name; and
 * `accepted on PORT`, the error's name, or `waits`, if no client could come.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static int family = AF_INET, listener;
static char outcome[64] = "waits";

/* On one processor with the mover, and behind it: so it doesn't look before the listener listens again. */
static void come_last(void)
{
	const struct sched_param parameter = { 0 };
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	sched_setscheduler(0, SCHED_IDLE, &parameter);
}

static void stay_on_the_first(void)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
}

static unsigned port_of(int fd)
{
	struct sockaddr_in6 address = { 0 };
	socklen_t length = sizeof(address);

	getsockname(fd, (struct sockaddr *)&address, &length);
	return ntohs(address.sin6_port); /* of sockaddr_in at the same place */
}

static void *take(void *data)
{
	int fd;

	come_last();
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		snprintf(outcome, sizeof(outcome), "%s", strerrorname_np(errno));
	else
		snprintf(outcome, sizeof(outcome), "accepted on %u", port_of(fd));
	return data;
}

static socklen_t address_of(unsigned port, struct sockaddr_storage *address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	if (family == AF_INET6) {
		*v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = in6addr_loopback };
		return sizeof(*v6);
	}
	*v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	return sizeof(*v4);
}

static int start(unsigned port)
{
	struct sockaddr_storage address;
	socklen_t length = address_of(port, &address);

	if (port && bind(listener, (struct sockaddr *)&address, length))
		return -errno;
	return listen(listener, 16) ? -errno : 0;
}

static void undo(const char *how)
{
	struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	if (!strcmp(how, "shutdown"))
		shutdown(listener, SHUT_RDWR);
	else if (!strcmp(how, "connect"))
		connect(listener, &nowhere, sizeof(nowhere));
}

static void call_on(int protocol, unsigned port)
{
	struct sockaddr_storage address;
	socklen_t length = address_of(port, &address);
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, protocol);

	connect(fd, (struct sockaddr *)&address, length);
}

int main(int argc, char **argv)
{
	const struct timespec second = { .tv_sec = 1 };
	unsigned from, to;
	int protocol = 0, error, on = 1;
	pthread_t thread;

	if (argc != 5)
		return 2;
	if (!strcmp(argv[1], "inet6"))
		family = AF_INET6;
	else if (!strcmp(argv[1], "mptcp"))
		protocol = IPPROTO_MPTCP;
	else if (!strcmp(argv[1], "sctp"))
		protocol = IPPROTO_SCTP;
	from = (unsigned)atoi(argv[2]);
	to = (unsigned)atoi(argv[4]);
	listener = socket(family, SOCK_STREAM, protocol);
	/* what is left of connections to the port keeps nobody who comes later from it */
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	error = listener < 0 ? -errno : start(from);
	if (error) {
		printf("not tried: %s\n", strerrorname_np(-error));
		return 1;
	}
	stay_on_the_first();
	pthread_create(&thread, NULL, take, NULL);
	nanosleep(&second, NULL);
	undo(argv[3]);
	error = start(strcmp(argv[3], "stay") ? to : 0);
	printf("%s, ", error ? strerrorname_np(-error) : "listens");
	fflush(stdout);
	if (!error)
		call_on(protocol, port_of(listener));
	nanosleep(&second, NULL);
	puts(outcome);
	return 0;
}
