/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * preload.so: what a user can make of a program that anyone can run.
 *
 *   ACCEPT_ON=PORT LD_PRELOAD=.../preload.so PROGRAM
 *
 * Before the program's own main(), accepts one connection on 127.0.0.1:PORT, which it makes itself, and ends the
 * process. Prints `accepted`, `EPERM`, `error NAME` or `not tried: WHY`, as the probe does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 10000

static void end(const char *outcome, const char *detail)
{
	printf("%s%s\n", outcome, detail);
	fflush(stdout);
	_exit(0);
}

static void need(int held, const char *what)
{
	if (held)
		return;
	printf("not tried: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(2);
}

__attribute__((constructor)) static void accept_once(void)
{
	const char *port = getenv("ACCEPT_ON");
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int listener, client, one = 1;
	struct pollfd waiting = { .events = POLLIN };

	if (!port)
		return;
	address.sin_port = htons((uint16_t)atoi(port));
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	need(listener >= 0 && client >= 0, "socket");
	need(!setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), "setsockopt");
	need(!bind(listener, (struct sockaddr *)&address, sizeof(address)), "bind");
	need(!listen(listener, 1), "listen");
	need(!connect(client, (struct sockaddr *)&address, sizeof(address)), "connect");
	waiting.fd = listener;
	need(poll(&waiting, 1, WAIT_MS) == 1, "poll");
	if (accept(listener, NULL, NULL) >= 0)
		end("accepted", "");
	if (errno == EPERM)
		end("EPERM", "");
	end("error ", strerror(errno));
}
