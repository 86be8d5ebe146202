/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * early: a thread calls accept() on a socket that doesn't listen yet, and has no port, while bind() and listen() are under way.
 *
 *   early PORT
 *
 * The lock of the socket is held meanwhile: by a setsockopt() that waits for a page which only we can give (userfaultfd(2), so this
 * needs root). The three calls come to wait for the lock one after the other: what each hook sees is the socket as it was
 * before, and the thread in accept() finds it listening on PORT.
 *
 * Prints what listen() said, and what came of accept(), on one line: `listens` or the error's name; and `accepted on PORT`, the
 * error's name, or `waits`. `not tried: WHY` if the calls can't be made to wait for each other.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096
#define WAIT_MS 10000

struct caller {
	void (*call)(struct caller *caller);
	pthread_t thread;
	volatile pid_t tid;
	volatile bool ended;
	int result;
};

static int listener;
static void *missing_page;
static struct sockaddr_in address = { .sin_family = AF_INET };

static void give_up(const char *why)
{
	printf("not tried: %s: %s\n", why, strerror(errno));
	fflush(stdout);
	_exit(3);
}

/* ---------------------------------------------------------------------------------------------
 * The four calls
 */

static void hold_lock(struct caller *caller)
{
	const struct sock_fprog filter = { .len = 1, .filter = missing_page };

	caller->result = setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) ? -errno : 0;
}

static void call_bind(struct caller *caller)
{
	caller->result = bind(listener, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
}

static void call_listen(struct caller *caller)
{
	caller->result = listen(listener, 16) ? -errno : 0;
}

static void call_accept(struct caller *caller)
{
	int fd = accept(listener, NULL, NULL);

	caller->result = fd < 0 ? -errno : fd;
}

static void *run(void *data)
{
	struct caller *caller = data;

	caller->tid = (pid_t)syscall(SYS_gettid);
	caller->call(caller);
	caller->ended = true;
	return NULL;
}

/* ---------------------------------------------------------------------------------------------
 * One after the other
 */

/* True if the thread sleeps and no signal would wake it, as one does that waits for the lock of a socket. */
static bool waits_for_lock(const struct caller *caller)
{
	char path[64], state = 0;
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", caller->tid);
	stat = caller->tid ? fopen(path, "r") : NULL;
	if (!stat)
		return false;
	if (fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(stat);
	return state == 'D';
}

static bool in_time(bool (*is_so)(const struct caller *caller), const struct caller *caller)
{
	for (int waited = 0; waited < WAIT_MS; waited++) {
		if (is_so(caller))
			return true;
		usleep(1000);
	}
	errno = ETIMEDOUT;
	return false;
}

static bool has_ended(const struct caller *caller)
{
	return caller->ended;
}

static bool waits_or_has_ended(const struct caller *caller)
{
	return caller->ended || waits_for_lock(caller);
}

static void start(struct caller *caller, void (*call)(struct caller *caller))
{
	caller->call = call;
	if (pthread_create(&caller->thread, NULL, run, caller))
		give_up("a thread");
}

/* A page that isn't there until it is given. Returns the descriptor that says so. */
static int make_missing_page(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = { .range.len = PAGE, .mode = UFFDIO_REGISTER_MODE_MISSING };
	int faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	missing_page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	area.range.start = (uintptr_t)missing_page;
	if (faults < 0 || missing_page == MAP_FAILED || ioctl(faults, UFFDIO_API, &api) || ioctl(faults, UFFDIO_REGISTER, &area))
		give_up("userfaultfd");
	return faults;
}

static void wait_for_fault(int faults)
{
	struct pollfd fault = { .fd = faults, .events = POLLIN };

	if (poll(&fault, 1, WAIT_MS) != 1)
		give_up("nobody asked for the page");
}

static void give_page(int faults)
{
	struct uffdio_zeropage page = { .range = { .start = (uintptr_t)missing_page, .len = PAGE } };

	if (ioctl(faults, UFFDIO_ZEROPAGE, &page))
		give_up("UFFDIO_ZEROPAGE");
}

static unsigned port_of(int fd)
{
	struct sockaddr_in end = { 0 };
	socklen_t length = sizeof(end);

	getsockname(fd, (struct sockaddr *)&end, &length);
	return ntohs(end.sin_port);
}

static void print_outcome(const struct caller *accepting)
{
	if (!in_time(has_ended, accepting))
		puts("waits");
	else if (accepting->result < 0)
		puts(strerrorname_np(-accepting->result));
	else
		printf("accepted on %u\n", port_of(accepting->result));
}

int main(int argc, char **argv)
{
	static struct caller holding, binding, listening, accepting;
	int faults, client;

	if (argc != 2)
		return 2;
	address.sin_port = htons((uint16_t)atoi(argv[1]));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	faults = make_missing_page();

	start(&holding, hold_lock);
	wait_for_fault(faults);
	start(&binding, call_bind);
	if (!in_time(waits_for_lock, &binding))
		give_up("bind() doesn't wait");
	start(&listening, call_listen);
	if (!in_time(waits_for_lock, &listening))
		give_up("listen() doesn't wait");
	start(&accepting, call_accept);
	if (!in_time(waits_or_has_ended, &accepting))
		give_up("accept() neither waits nor ends");
	give_page(faults);

	pthread_join(binding.thread, NULL);
	pthread_join(listening.thread, NULL);
	if (binding.result || listening.result) {
		printf("%s, ", strerrorname_np(-(binding.result ?: listening.result)));
	} else {
		printf("listens, ");
		if (connect(client, (struct sockaddr *)&address, sizeof(address)))
			give_up("connect");
	}
	print_outcome(&accepting);
	return 0;
}
