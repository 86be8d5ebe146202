/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * blocked: threads that wait in accept(2) on one listener.
 *
 *   blocked PORT COUNT [WORD...]      COUNT threads, that call accept() once each
 *
 *   process            COUNT processes instead, of one thread each
 *   timeout SECONDS    the listener has SO_RCVTIMEO
 *   inet6, mptcp, sctp, vsock   it is of that kind (inet)
 *   accept4            that call
 *   int80, socketcall  accept4 or socketcall of the 32-bit table, as a 32-bit program does
 *   uring              an accept that is armed in an io_uring of one thread, before the listener can have a connection
 *   signal             SIGUSR1 has a handler, which does nothing, and ends a call (no SA_RESTART)
 *   locked             COUNT is 1: the call waits for the socket's lock, not to be interrupted, until SIGUSR2 comes
 *
 * Prints "waits TID" for each when it waits, and "ready"; then the outcome of each, on a line: "accepted" or the error's name, and
 * "after N ms". Ends with the last of them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/filter.h>
#include <linux/userfaultfd.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#define THREADS_MAX 256
#define PAGE 4096

static struct {
	unsigned port, count;
	long timeout;
	int family, protocol;
	bool process, handler, locked;
	int (*call)(int listener);
} options = { .family = AF_INET };

static int listener;
/* Shared with the processes: who waits, 0: not yet. */
static volatile pid_t *waiting;

static void must(bool works, const char *what)
{
	if (works)
		return;
	fprintf(stderr, "blocked: %s: %s\n", what, strerror(errno));
	_exit(2);
}

/* ---------------------------------------------------------------------------------------------
 * The calls
 */

static int call_accept(int fd)
{
	return (int)syscall(SYS_accept, fd, NULL, NULL);
}

static int call_accept4(int fd)
{
	return (int)syscall(SYS_accept4, fd, NULL, NULL, SOCK_CLOEXEC);
}

#ifdef __x86_64__
static int compat_call(long number, long first, long second)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(first), "c"(second), "d"(0), "S"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	if ((int)result >= 0)
		return (int)result;
	errno = -(int)result;
	return -1;
}

static int call_int80(int fd)
{
	return compat_call(364, fd, 0);
}

static int call_socketcall(int fd)
{
	uint32_t *arguments = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	must(arguments != MAP_FAILED, "mmap");
	arguments[0] = (uint32_t)fd;
	return compat_call(102, 5, (long)(uintptr_t)arguments);
}
#endif

static int call_uring(int fd)
{
	struct io_uring ring;
	struct io_uring_cqe *cqe;

	must(!io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
	io_uring_prep_accept(io_uring_get_sqe(&ring), fd, NULL, NULL, 0);
	must(io_uring_submit(&ring) == 1, "io_uring_submit");
	must(!io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
	errno = cqe->res < 0 ? -cqe->res : 0;
	return cqe->res;
}

/* ---------------------------------------------------------------------------------------------
 * The listener
 */

static void make_listener(void)
{
	const struct timeval patience = { .tv_sec = options.timeout };
	union {
		struct sockaddr any;
		struct sockaddr_in inet;
		struct sockaddr_in6 inet6;
		struct sockaddr_vm vsock;
	} address = { .any.sa_family = (sa_family_t)options.family };
	int on = 1;

	listener = socket(options.family, SOCK_STREAM, options.protocol);
	must(listener >= 0, "socket");
	if (options.family == AF_VSOCK) {
		address.vsock.svm_port = options.port;
		address.vsock.svm_cid = VMADDR_CID_ANY;
	} else {
		address.inet.sin_port = htons((uint16_t)options.port); /* inet6 has it at the same place */
		setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	}
	must(!setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), "SO_RCVTIMEO");
	must(!bind(listener, &address.any, sizeof(address)), "bind");
	must(!listen(listener, 16), "listen");
}

/* ---------------------------------------------------------------------------------------------
 * The socket's lock, held by a setsockopt() that waits for a page which only we can give (userfaultfd(2))
 */

static void *missing_page;

static void *hold_lock(void *data)
{
	struct sock_fprog program = { .len = 1, .filter = missing_page };

	(void)data;
	setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
	return NULL;
}

static int take_lock(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = { .range.len = PAGE, .mode = UFFDIO_REGISTER_MODE_MISSING };
	int faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct pollfd fault = { .fd = faults, .events = POLLIN };
	pthread_t thread;

	missing_page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	area.range.start = (uintptr_t)missing_page;
	must(faults >= 0 && missing_page != MAP_FAILED && !ioctl(faults, UFFDIO_API, &api) && !ioctl(faults, UFFDIO_REGISTER, &area),
	     "userfaultfd");
	must(!pthread_create(&thread, NULL, hold_lock, NULL), "pthread_create");
	must(poll(&fault, 1, 10000) == 1, "nobody asked for the page");
	return faults;
}

static void give_lock(int faults)
{
	struct uffdio_zeropage page = { .range = { .start = (uintptr_t)missing_page, .len = PAGE } };
	sigset_t signals;
	int signal;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR2);
	must(!sigwait(&signals, &signal), "sigwait");
	must(!ioctl(faults, UFFDIO_ZEROPAGE, &page), "UFFDIO_ZEROPAGE");
}

/* ---------------------------------------------------------------------------------------------
 * Who waits
 */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void *wait_for_connection(void *place)
{
	int64_t began = now_ms();
	int fd;

	*(volatile pid_t *)place = (pid_t)syscall(SYS_gettid);
	fd = options.call(listener);
	dprintf(STDOUT_FILENO, "%s after %lld ms\n", fd >= 0 ? "accepted" : strerrorname_np(errno), (long long)(now_ms() - began));
	return NULL;
}

static void handle(int signal)
{
	(void)signal;
}

/* True if it sleeps in the kernel. */
static bool sleeps(pid_t tid)
{
	char path[64], text[512] = "";
	const char *name_end;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return true; /* it has ended */
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	name_end = strrchr(text, ')');
	return name_end && (!strncmp(name_end, ") S ", 4) || !strncmp(name_end, ") D ", 4));
}

/* A thread that sleeps at ten looks in a row, after it has said that it goes into its call, waits there. */
static void tell_who_waits(void)
{
	for (unsigned i = 0; i < options.count; i++) {
		for (int looks = 0; looks < 10; looks++) {
			usleep(2000);
			if (!waiting[i] || !sleeps(waiting[i]))
				looks = -1;
		}
		dprintf(STDOUT_FILENO, "waits %d\n", waiting[i]);
	}
	dprintf(STDOUT_FILENO, "ready\n");
}

static void start(pthread_t *thread, volatile pid_t *place)
{
	if (!options.process) {
		must(!pthread_create(thread, NULL, wait_for_connection, (void *)place), "pthread_create");
		return;
	}
	if (!fork()) {
		wait_for_connection((void *)place);
		_exit(0);
	}
}

static bool read_word(char **word)
{
	if (!strcmp(*word, "process"))
		options.process = true;
	else if (!strcmp(*word, "timeout") && word[1])
		options.timeout = atol(word[1]);
	else if (!strcmp(*word, "inet6"))
		options.family = AF_INET6;
	else if (!strcmp(*word, "vsock"))
		options.family = AF_VSOCK;
	else if (!strcmp(*word, "mptcp"))
		options.protocol = IPPROTO_MPTCP;
	else if (!strcmp(*word, "sctp"))
		options.protocol = IPPROTO_SCTP;
	else if (!strcmp(*word, "accept4"))
		options.call = call_accept4;
#ifdef __x86_64__
	else if (!strcmp(*word, "int80"))
		options.call = call_int80;
	else if (!strcmp(*word, "socketcall"))
		options.call = call_socketcall;
#endif
	else if (!strcmp(*word, "uring"))
		options.call = call_uring;
	else if (!strcmp(*word, "signal"))
		options.handler = true;
	else if (!strcmp(*word, "locked"))
		options.locked = true;
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	const struct sigaction nothing = { .sa_handler = handle };
	pthread_t threads[THREADS_MAX];
	sigset_t later;
	int faults = -1;

	options.call = call_accept;
	options.port = argc > 2 ? (unsigned)atoi(argv[1]) : 0;
	options.count = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	for (int i = 3; i < argc; i += 1 + !strcmp(argv[i], "timeout"))
		if (!read_word(&argv[i]))
			options.count = 0;
	if (!options.port || !options.count || options.count > THREADS_MAX) {
		fputs("usage: blocked PORT COUNT [WORD...]\n", stderr);
		return 2;
	}
	sigemptyset(&later);
	sigaddset(&later, SIGUSR2);
	sigprocmask(SIG_BLOCK, &later, NULL);
	waiting = mmap(NULL, sizeof(pid_t) * THREADS_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(waiting != MAP_FAILED, "mmap");
	if (options.handler)
		sigaction(SIGUSR1, &nothing, NULL);
	make_listener();
	if (options.locked)
		faults = take_lock();
	for (unsigned i = 0; i < options.count; i++)
		start(&threads[i], &waiting[i]);
	/* A signal to the process is for those that wait. */
	sigaddset(&later, SIGUSR1);
	sigprocmask(SIG_BLOCK, &later, NULL);
	tell_who_waits();
	if (options.locked)
		give_lock(faults);
	for (unsigned i = 0; i < options.count && !options.process; i++)
		pthread_join(threads[i], NULL);
	while (wait(NULL) > 0)
		;
	return 0;
}
