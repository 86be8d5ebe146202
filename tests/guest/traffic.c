/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * traffic: servers and clients in quantity, over IPv4 and the loopback.
 *
 *   traffic serve PORT...         a server on each port until SIGTERM: each connection gets one byte. Prints "ready"
 *                                 when it listens. A refused accept() is tried again after a millisecond.
 *   traffic connect PORT COUNT    clients, one after the other, each of which waits for its byte. Prints
 *                                 "served N unserved N failed N"
 *   traffic supply PORT...        clients until SIGTERM: keeps 4 connections waiting at each port, with a new one for
 *                                 each that was served
 *   traffic burst PORT COUNT      puts COUNT connections into one queue, then accepts COUNT times
 *   traffic spin COUNT PORT...    one connection waits at each port; accepts COUNT times in all, port after port
 *   traffic spinfor SECONDS PORT  the same at one port, for so long
 *   traffic fork COUNT PORT       one connection waits; COUNT processes, one after the other, accept once each
 *
 * serve, burst, spin, spinfor and fork print "PORT accepted N denied N other N" for each port (the last three: one line, without the port);
 * denied is EPERM and nothing else. The status is 0 if nothing was failed or other.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 10000
#define CLIENT_WAIT_MS 1000
#define SUPPLY 4

struct outcomes {
	unsigned long accepted, denied, other;
	int error; /* the last other one */
};

static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

static void must(bool works, const char *what)
{
	if (works)
		return;
	fprintf(stderr, "traffic: %s: %s\n", what, strerror(errno));
	exit(2);
}

static struct sockaddr_in address_of(unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

static int listen_on(unsigned port, int backlog)
{
	struct sockaddr_in address = address_of(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;

	must(fd >= 0, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	must(!bind(fd, (struct sockaddr *)&address, sizeof(address)), "bind");
	must(!listen(fd, backlog), "listen");
	return fd;
}

/* A client that resets its connection when it is closed, and so leaves nothing in TIME_WAIT. */
static int start_client(unsigned port)
{
	struct sockaddr_in address = address_of(port);
	struct linger reset = { .l_onoff = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	must(fd >= 0, "the client's socket");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool readable(int fd, int timeout)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, timeout) == 1;
}

static void count(struct outcomes *outcomes, int result)
{
	if (result >= 0) {
		outcomes->accepted++;
	} else if (errno == EPERM) {
		outcomes->denied++;
	} else {
		outcomes->other++;
		outcomes->error = errno;
	}
}

static int print_outcomes(const struct outcomes *outcomes)
{
	printf("accepted %lu denied %lu other %lu%s%s\n", outcomes->accepted, outcomes->denied, outcomes->other, outcomes->other ? " " : "",
	       outcomes->other ? strerrorname_np(outcomes->error) : "");
	fflush(stdout);
	return outcomes->other ? 1 : 0;
}

/* ---------------------------------------------------------------------------------------------
 * serve
 */

struct server {
	pthread_t thread;
	unsigned port;
	int fd;
	struct outcomes outcomes;
};

static void *serve(void *data)
{
	struct server *server = data;

	while (!ended) {
		int fd;

		/* Never blocked inside accept(), where a new rule comes too late for one connection. */
		if (!readable(server->fd, 20))
			continue;
		fd = accept(server->fd, NULL, NULL);
		if (fd < 0 && errno == EAGAIN)
			continue;
		count(&server->outcomes, fd);
		if (fd < 0) {
			usleep(1000);
			continue;
		}
		if (write(fd, "x", 1) != 1)
			errno = 0; /* its client has gone */
		close(fd);
	}
	return NULL;
}

static int run_serve(int count_of_ports, char **ports)
{
	struct server *servers = calloc(count_of_ports, sizeof(*servers));
	int failed = 0;

	must(servers, "memory");
	for (int i = 0; i < count_of_ports; i++) {
		servers[i].port = strtoul(ports[i], NULL, 10);
		servers[i].fd = listen_on(servers[i].port, 256);
		must(!pthread_create(&servers[i].thread, NULL, serve, &servers[i]), "pthread_create");
	}
	puts("ready");
	fflush(stdout);
	for (int i = 0; i < count_of_ports; i++) {
		pthread_join(servers[i].thread, NULL);
		printf("%u ", servers[i].port);
		failed |= print_outcomes(&servers[i].outcomes);
	}
	free(servers);
	return failed;
}

/* ---------------------------------------------------------------------------------------------
 * connect and supply
 */

static int run_connect(unsigned port, unsigned long wanted)
{
	unsigned long served = 0, unserved = 0, failed = 0;

	for (unsigned long i = 0; i < wanted; i++) {
		int fd = start_client(port);
		char byte;

		if (fd < 0) {
			failed++;
			continue;
		}
		if (!readable(fd, CLIENT_WAIT_MS))
			unserved++;
		else if (read(fd, &byte, 1) == 1)
			served++;
		else
			failed++;
		close(fd);
	}
	printf("served %lu unserved %lu failed %lu\n", served, unserved, failed);
	return failed ? 1 : 0;
}

static int run_supply(int count_of_ports, char **ports)
{
	int clients = count_of_ports * SUPPLY;
	struct pollfd *fds = calloc(clients, sizeof(*fds));

	must(fds, "memory");
	for (int i = 0; i < clients; i++)
		fds[i].fd = -1;
	while (!ended) {
		for (int i = 0; i < clients; i++)
			if (fds[i].fd < 0) {
				fds[i].fd = start_client(strtoul(ports[i / SUPPLY], NULL, 10));
				fds[i].events = POLLIN;
			}
		poll(fds, clients, 20);
		for (int i = 0; i < clients; i++)
			if (fds[i].fd >= 0 && fds[i].revents) {
				close(fds[i].fd);
				fds[i].fd = -1;
			}
	}
	free(fds);
	return 0;
}

/* ---------------------------------------------------------------------------------------------
 * burst and spin
 */

/* What is in the queue of a listener. */
static unsigned long queued(int listener)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);

	must(!getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &length), "TCP_INFO");
	return info.tcpi_unacked;
}

static void wait_queued(int listener, unsigned long wanted)
{
	for (int waited = 0; queued(listener) < wanted; waited++) {
		errno = ETIMEDOUT;
		must(waited < WAIT_MS, "waiting for the queue to fill");
		usleep(1000);
	}
}

static int run_burst(unsigned port, unsigned long wanted)
{
	struct outcomes outcomes = { 0 };
	int listener = listen_on(port, (int)wanted);

	for (unsigned long i = 0; i < wanted; i++)
		must(start_client(port) >= 0, "connect");
	wait_queued(listener, wanted);
	for (unsigned long i = 0; i < wanted; i++) {
		int fd = accept(listener, NULL, NULL);

		count(&outcomes, fd);
		if (fd >= 0)
			close(fd);
	}
	printf("%u ", port);
	return print_outcomes(&outcomes);
}

/* A listener with one connection waiting. */
static int listen_with_client(unsigned port)
{
	int listener = listen_on(port, 16);

	must(start_client(port) >= 0, "connect");
	wait_queued(listener, 1);
	return listener;
}

static int run_spin(unsigned long wanted, int count_of_ports, char **ports)
{
	int *listeners = calloc(count_of_ports, sizeof(*listeners));
	struct outcomes outcomes = { 0 };

	must(listeners, "memory");
	for (int i = 0; i < count_of_ports; i++)
		listeners[i] = listen_with_client(strtoul(ports[i], NULL, 10));
	for (unsigned long i = 0; i < wanted && !ended; i++)
		count(&outcomes, accept(listeners[i % count_of_ports], NULL, NULL));
	free(listeners);
	return print_outcomes(&outcomes);
}

static int run_spin_for(time_t seconds, unsigned port)
{
	int listener = listen_with_client(port);
	struct outcomes outcomes = { 0 };
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		count(&outcomes, accept(listener, NULL, NULL));
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - start.tv_sec < seconds);
	return print_outcomes(&outcomes);
}

/* The child's status is what accept() came to. */
static int run_fork(unsigned long wanted, unsigned port)
{
	int listener = listen_with_client(port), status;
	struct outcomes outcomes = { 0 };

	for (unsigned long i = 0; i < wanted; i++) {
		pid_t child = fork();

		must(child >= 0, "fork");
		if (!child)
			_exit(accept(listener, NULL, NULL) >= 0 ? 0 : errno);
		must(waitpid(child, &status, 0) == child && WIFEXITED(status), "waitpid");
		errno = WEXITSTATUS(status);
		count(&outcomes, errno ? -1 : 0);
	}
	return print_outcomes(&outcomes);
}

static void raise_limit(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int run(const char *what, int argc, char **argv)
{
	if (!strcmp(what, "serve"))
		return run_serve(argc, argv);
	if (!strcmp(what, "supply"))
		return run_supply(argc, argv);
	if (!strcmp(what, "connect") && argc == 2)
		return run_connect(strtoul(argv[0], NULL, 10), strtoul(argv[1], NULL, 10));
	if (!strcmp(what, "burst") && argc == 2)
		return run_burst(strtoul(argv[0], NULL, 10), strtoul(argv[1], NULL, 10));
	if (!strcmp(what, "spinfor") && argc == 2)
		return run_spin_for(strtol(argv[0], NULL, 10), strtoul(argv[1], NULL, 10));
	if (!strcmp(what, "fork") && argc == 2)
		return run_fork(strtoul(argv[0], NULL, 10), strtoul(argv[1], NULL, 10));
	if (!strcmp(what, "spin") && argc > 1)
		return run_spin(strtoul(argv[0], NULL, 10), argc - 1, argv + 1);
	return -1;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = end };
	int status;

	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	raise_limit();
	status = argc > 2 ? run(argv[1], argc - 2, argv + 2) : -1;
	if (status >= 0)
		return status;
	fputs("usage: traffic serve PORT... | connect PORT COUNT | supply PORT... | burst PORT COUNT | "
	      "spin COUNT PORT... | spinfor SECONDS PORT | fork COUNT PORT\n",
	      stderr);
	return 2;
}
