/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one accept() with a connection waiting costs, in guest instructions; or one connect() to a listener of this machine.
 *
 *   accept PORT COUNT accepted|denied|nothing|alternating|connected
 *
 * denied: one connection waits all the time. nothing: none does, and accept() finds that out (EAGAIN) when it has made
 * a socket, which it frees then, as when it is denied. alternating: accepted on PORT and the next one by turns. connected: the
 * connect(), in which loopback handles the request and the rest of the handshake too.
 *
 * Prints the median of COUNT calls (ticks.h says how instructions are counted).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ticks.h"

static void die(const char *what)
{
	fprintf(stderr, "accept: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 16))
		die("listen");
	return fd;
}

/* On loopback a connection is in the listener's queue when connect() returns. */
static int connect_to(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		die("connect");
	return fd;
}

/* What an accept() costs that makes a socket, finds no connection, and frees the socket: as a denied one does. */
static uint64_t accept_nothing(int listener)
{
	uint64_t start = __rdtsc(), ticks;
	int server = accept(listener, NULL, NULL);

	ticks = __rdtsc() - start;
	if (server >= 0 || errno != EAGAIN)
		die("an empty queue was expected");
	return ticks;
}

static uint64_t connect_once(int listener, uint16_t port)
{
	const struct linger reset = { 1, 0 };
	const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int client = socket(AF_INET, SOCK_STREAM, 0), server;
	uint64_t start = __rdtsc(), ticks;

	if (connect(client, (const struct sockaddr *)&address, sizeof(address)))
		die("connect");
	ticks = __rdtsc() - start;
	server = accept(listener, NULL, NULL);
	if (server < 0)
		die("accept");
	setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(client);
	close(server);
	return ticks;
}

static uint64_t accept_once(int listener, uint16_t port, int expect_denial)
{
	const struct linger reset = { 1, 0 };
	static int waiting = -1;
	int client = expect_denial && waiting >= 0 ? waiting : connect_to(port), server;
	uint64_t start = __rdtsc(), ticks;

	server = accept(listener, NULL, NULL);
	ticks = __rdtsc() - start;
	if (expect_denial) {
		if (server >= 0 || errno != EPERM)
			die("a denial was expected");
		waiting = client; /* stays in the queue */
		return ticks;
	}
	if (server < 0)
		die("accept");
	setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(client);
	close(server);
	return ticks;
}

int main(int argc, char **argv)
{
	uint16_t port = argc == 4 ? (uint16_t)atoi(argv[1]) : 0;
	size_t count = argc == 4 ? (size_t)atoi(argv[2]) : 0;
	const char *way = argc == 4 ? argv[3] : "";
	int nothing = !strcmp(way, "nothing"), alternating = !strcmp(way, "alternating"), listeners[2];
	uint64_t *samples;

	if (!port || !count) {
		fprintf(stderr, "usage: accept PORT COUNT accepted|denied|nothing|alternating|connected\n");
		return 2;
	}
	samples = calloc(count, sizeof(*samples));
	for (int i = 0; i <= alternating; i++)
		listeners[i] = listen_on(port + i);
	if (nothing)
		fcntl(listeners[0], F_SETFL, O_NONBLOCK);
	for (size_t i = 0; i < count + 50; i++) {
		int which = alternating ? i % 2 : 0;
		uint64_t ticks = nothing                   ? accept_nothing(listeners[0]) :
				 !strcmp(way, "connected") ? connect_once(listeners[0], port) :
							     accept_once(listeners[which], port + which, !strcmp(way, "denied"));

		if (i >= 50) /* the first ones find nothing in place yet */
			samples[i - 50] = ticks;
	}
	printf("%llu\n", (unsigned long long)(median_instructions(samples, count)));
	free(samples);
	return 0;
}
