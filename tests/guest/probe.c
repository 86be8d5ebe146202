/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe: what does accept() say to this binary?
 *
 *   probe [-c COMM] accept FAMILY HOW PORT...   once on each port
 *   probe [-c COMM] matrix FAMILY PORT          once in each way there is, on PORT, PORT + 1, ...
 *
 * FAMILY  inet, inet6, dual (listens on ::, its client comes over IPv4), mptcp, mptcp6, fallback (an MPTCP
 *         listener whose client speaks plain TCP), sctp, sctp6, vsock, unix (PORT makes the name)
 * HOW     accept, accept4, epoll (not blocking), uring, multishot, socketcall (as a 32-bit program does)
 *
 * Each time the probe listens, connects a client of its own, waits until the connection is in the queue, and only
 * then accepts. `accept` prints the outcome, `matrix` prints "HOW PORT OUTCOME". An outcome is one of
 *
 *   accepted          ... and a byte came through
 *   EPERM             ... and the connection is still in the queue
 *   error NAME        anything else that accept() or the connection said
 *   not tried: WHY    there was no accept() to judge by
 *
 * so that a probe that doesn't work can't be taken for a denial. The status is 0 if everything was tried.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define WAIT_MS 10000
/* Beside error numbers, which are negative, and descriptors, which are not. */
#define NOT_TRIED (-100000)

static char why[160]; /* something wasn't tried */

struct family {
	const char *name;
	int domain;
	int protocol;        /* of the listener */
	int client_protocol; /* of the client */
	const char *listen, *connect;
};

static const struct family families[] = {
	{ "inet", AF_INET, 0, 0, "127.0.0.1", "127.0.0.1" },
	{ "inet6", AF_INET6, 0, 0, "::1", "::1" },
	{ "dual", AF_INET6, 0, 0, "::", "127.0.0.1" },
	{ "mptcp", AF_INET, IPPROTO_MPTCP, IPPROTO_MPTCP, "127.0.0.1", "127.0.0.1" },
	{ "mptcp6", AF_INET6, IPPROTO_MPTCP, IPPROTO_MPTCP, "::1", "::1" },
	{ "fallback", AF_INET, IPPROTO_MPTCP, 0, "127.0.0.1", "127.0.0.1" },
	{ "sctp", AF_INET, IPPROTO_SCTP, IPPROTO_SCTP, "127.0.0.1", "127.0.0.1" },
	{ "sctp6", AF_INET6, IPPROTO_SCTP, IPPROTO_SCTP, "::1", "::1" },
	{ "vsock", AF_VSOCK, 0, 0, NULL, NULL },
	{ "unix", AF_UNIX, 0, 0, NULL, NULL },
};
#define FAMILIES (sizeof(families) / sizeof(families[0]))

union address {
	struct sockaddr any;
	struct sockaddr_in inet;
	struct sockaddr_in6 inet6;
	struct sockaddr_vm vsock;
	struct sockaddr_un local;
};

static int not_tried(const char *what, int error)
{
	snprintf(why, sizeof(why), "%s: %s", what, strerror(error));
	return NOT_TRIED;
}

static socklen_t inet_address(union address *address, const char *text, unsigned port)
{
	if (strchr(text, ':')) {
		address->inet6.sin6_family = AF_INET6;
		address->inet6.sin6_port = htons(port);
		inet_pton(AF_INET6, text, &address->inet6.sin6_addr);
		return sizeof(address->inet6);
	}
	address->inet.sin_family = AF_INET;
	address->inet.sin_port = htons(port);
	inet_pton(AF_INET, text, &address->inet.sin_addr);
	return sizeof(address->inet);
}

static socklen_t fill_address(union address *address, const struct family *family, const char *text, unsigned port)
{
	memset(address, 0, sizeof(*address));
	if (text)
		return inet_address(address, text, port);
	address->any.sa_family = family->domain;
	if (family->domain == AF_VSOCK) {
		address->vsock.svm_cid = VMADDR_CID_LOCAL;
		address->vsock.svm_port = port;
		return sizeof(address->vsock);
	}
	/* The first byte stays 0: a name that needs no file. */
	snprintf(address->local.sun_path + 1, sizeof(address->local.sun_path) - 1, "probe-%d-%u", getpid(), port);
	return sizeof(address->local);
}

/* The kernel ends the rings of a probe, and what they listen on, some time after the probe itself. */
static bool bind_in_time(int fd, const union address *address, socklen_t length)
{
	for (int waited = 0; bind(fd, &address->any, length); waited++) {
		if (errno != EADDRINUSE || waited == WAIT_MS / 10)
			return false;
		usleep(10000);
	}
	return true;
}

static int listen_on(const struct family *family, unsigned port)
{
	union address address;
	socklen_t length = fill_address(&address, family, family->listen, port);
	int fd = socket(family->domain, SOCK_STREAM | SOCK_CLOEXEC, family->protocol), on = 1, off = 0;

	if (fd < 0)
		return not_tried("socket", errno);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family->domain == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)))
		return not_tried("IPV6_V6ONLY", errno);
	if (!bind_in_time(fd, &address, length))
		return not_tried("bind", errno);
	if (listen(fd, 16))
		return not_tried("listen", errno);
	return fd;
}

/*
 * The end of a ring that was used before can interrupt connect(), which the kernel then starts again: SCTP says EISCONN to
 * that, as the first start has made the association.
 */
static int connect_to(const struct family *family, unsigned port)
{
	union address address;
	socklen_t length = fill_address(&address, family, family->connect, port);
	int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, family->client_protocol);

	if (fd < 0)
		return not_tried("the client's socket", errno);
	if (connect(fd, &address.any, length) && errno != EISCONN)
		return not_tried("connect", errno);
	return fd;
}

static bool readable(int fd, int timeout)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, timeout) == 1 && poll_fd.revents & POLLIN;
}

/* ---------------------------------------------------------------------------------------------
 * Ways to accept. Each returns a descriptor, -errno, or NOT_TRIED with `why`.
 */

static int by_accept(int listener)
{
	int fd = accept(listener, NULL, NULL);

	return fd < 0 ? -errno : fd;
}

static int by_accept4(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int by_epoll(int listener)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC), fd, on = 1;

	if (epoll < 0 || ioctl(listener, FIONBIO, &on) || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event))
		return not_tried("epoll", errno);
	if (epoll_wait(epoll, &event, 1, WAIT_MS) != 1)
		return not_tried("epoll_wait", ETIMEDOUT);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int complete(struct io_uring *ring)
{
	struct __kernel_timespec timeout = { .tv_sec = WAIT_MS / 1000 };
	struct io_uring_cqe *cqe;
	int error = io_uring_submit(ring);

	if (error < 0)
		return not_tried("io_uring_submit", -error);
	error = io_uring_wait_cqe_timeout(ring, &cqe, &timeout);
	/* -ETIME: it was submitted, and said nothing. */
	return error ? error : cqe->res;
}

static int by_ring(int listener, bool multishot)
{
	struct io_uring_sqe *sqe;
	struct io_uring ring;
	int error = io_uring_queue_init(8, &ring, 0), result;

	if (error)
		return not_tried("io_uring_queue_init", -error);
	sqe = io_uring_get_sqe(&ring);
	if (multishot)
		io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, SOCK_CLOEXEC);
	else
		io_uring_prep_accept(sqe, listener, NULL, NULL, SOCK_CLOEXEC);
	result = complete(&ring);
	io_uring_queue_exit(&ring);
	return result;
}

static int by_uring(int listener)
{
	return by_ring(listener, false);
}

static int by_multishot(int listener)
{
	return by_ring(listener, true);
}

#ifdef __x86_64__
static void no_32_bit_calls(int signal)
{
	static const char text[] = "not tried: this kernel has no 32-bit system calls\n";

	(void)signal;
	_exit(write(STDOUT_FILENO, text, sizeof(text) - 1) > 0 ? 3 : 4);
}

/* The interrupt is the 32-bit way in, also from a 64-bit program, if all addresses fit into 32 bits. */
static int by_socketcall(int listener)
{
	uint32_t *arguments = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long result;

	if (arguments == MAP_FAILED)
		return not_tried("mmap", errno);
	arguments[0] = (uint32_t)listener;
	arguments[1] = arguments[2] = 0;
	signal(SIGSEGV, no_32_bit_calls);
	__asm__ volatile("int $0x80" : "=a"(result) : "0"(102L), "b"(5L), "c"(arguments) : "memory", "r8", "r9", "r10", "r11");
	signal(SIGSEGV, SIG_DFL);
	return (int)result;
}
#else
static int by_socketcall(int listener)
{
	(void)listener;
	return not_tried("socketcall", ENOSYS);
}
#endif

static const struct how {
	const char *name;
	int (*accept)(int listener);
} hows[] = {
	{ "accept", by_accept }, { "accept4", by_accept4 },     { "epoll", by_epoll },
	{ "uring", by_uring },   { "multishot", by_multishot }, { "socketcall", by_socketcall },
};
#define HOWS (sizeof(hows) / sizeof(hows[0]))

/* ---------------------------------------------------------------------------------------------
 * Outcomes
 */

/* Descriptors are left to the end of the process. */
static int try_once(const struct family *family, const struct how *how, unsigned port, int *listener, int *client)
{
	*listener = listen_on(family, port);
	if (*listener < 0)
		return *listener;
	*client = connect_to(family, port);
	if (*client < 0)
		return *client;
	if (!readable(*listener, WAIT_MS))
		return not_tried("waiting for the connection", ETIMEDOUT);
	return how->accept(*listener);
}

/* True if what the client sends arrives at `fd`. */
static bool is_connected(int fd, int client)
{
	char byte = 0;

	return write(client, "x", 1) == 1 && readable(fd, WAIT_MS) && read(fd, &byte, 1) == 1 && byte == 'x';
}

/* Prints the outcome. Returns whether it was tried. */
static bool print_outcome(const struct family *family, const struct how *how, unsigned port)
{
	int listener = -1, client = -1, result = try_once(family, how, port, &listener, &client);

	if (result == NOT_TRIED) {
		printf("not tried: %s\n", why);
		return false;
	}
	if (result >= 0 && is_connected(result, client))
		puts("accepted");
	else if (result >= 0)
		puts("error accepted, but nothing came through");
	else if (result == -EPERM && readable(listener, 0))
		puts("EPERM");
	else if (result == -EPERM)
		puts("error EPERM, but the connection isn't in the queue any more");
	else
		printf("error %s\n", strerrorname_np(-result) ?: "unknown");
	return true;
}

static bool print_matrix(const struct family *family, unsigned port)
{
	bool tried = true;

	for (size_t i = 0; i < HOWS; i++) {
		printf("%s %zu ", hows[i].name, port + i);
		fflush(stdout);
		if (!print_outcome(family, &hows[i], port + i))
			tried = false;
	}
	return tried;
}

static int usage(void)
{
	fputs("usage: probe [-c COMM] accept FAMILY HOW PORT... | matrix FAMILY PORT\n", stderr);
	return 2;
}

static const struct family *find_family(const char *name)
{
	for (size_t i = 0; i < FAMILIES; i++)
		if (!strcmp(families[i].name, name))
			return &families[i];
	return NULL;
}

static const struct how *find_how(const char *name)
{
	for (size_t i = 0; i < HOWS; i++)
		if (!strcmp(hows[i].name, name))
			return &hows[i];
	return NULL;
}

static int run_accept(const struct family *family, int argc, char **argv)
{
	const struct how *how = argc > 1 ? find_how(argv[0]) : NULL;
	bool tried = true;

	if (!how)
		return usage();
	for (int i = 1; i < argc; i++)
		if (!print_outcome(family, how, strtoul(argv[i], NULL, 10)))
			tried = false;
	return tried ? 0 : 1;
}

int main(int argc, char **argv)
{
	const struct family *family;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 2 && !strcmp(argv[1], "-c")) {
		prctl(PR_SET_NAME, argv[2]);
		argc -= 2;
		argv += 2;
	}
	family = argc > 3 ? find_family(argv[2]) : NULL;
	if (!family)
		return usage();
	if (!strcmp(argv[1], "matrix"))
		return print_matrix(family, strtoul(argv[3], NULL, 10)) ? 0 : 1;
	if (!strcmp(argv[1], "accept"))
		return run_accept(family, argc - 3, argv + 3);
	return usage();
}
