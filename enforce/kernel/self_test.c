/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes a listener and a client of its own, and accepts twice: once to be refused, once to be decided about.
 */
#include "enforce/kernel/self_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "enforce/kernel/live.h"
#include "enforce/kernel/prerequisites.h"
#include "policy/cleanup.h"

/* How long to wait for a connection over the loopback: a packet filter may drop it. */
#define WAIT_MS 5000

/* A listener on a free port of the loopback, and a connection that waits in its queue. */
struct rehearsal {
	int listener, client;
	uint64_t cookie; /* of the listener */
};

/* Makes a socket that is bound to a free port of the loopback, and sets *address to its address. Returns it, or -errno. */
static int bind_on(int family, struct sockaddr_storage *address, socklen_t *length)
{
	_cleanup_close_ int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	address->ss_family = (sa_family_t)family;
	if (family == AF_INET)
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		v6->sin6_addr = in6addr_loopback;
	*length = family == AF_INET ? sizeof(*v4) : sizeof(*v6);
	if (fd < 0 || bind(fd, (struct sockaddr *)address, *length) || getsockname(fd, (struct sockaddr *)address, length))
		return -errno;
	return TAKE_FD(fd);
}

/* Marks the listener as that of a test. Must come before its listen(2), which the policy could refuse too. Returns 0 or -errno. */
static int mark(const struct kernel *kernel, struct rehearsal *rehearsal)
{
	socklen_t length = sizeof(rehearsal->cookie);

	if (getsockopt(rehearsal->listener, SOL_SOCKET, SO_COOKIE, &rehearsal->cookie, &length))
		return -errno;
	if (!rehearsal->cookie || rehearsal->cookie >= SELF_TEST_DECIDED)
		return -ERANGE;
	__atomic_store_n(&kernel->control->self_test, rehearsal->cookie, __ATOMIC_SEQ_CST);
	return 0;
}

/* Makes the listener and the connection. Returns 0 or -errno; call end_rehearsal() in any case. */
static int rehearse(const struct kernel *kernel, int family, struct rehearsal *rehearsal)
{
	struct sockaddr_storage address;
	socklen_t length;
	int error;

	rehearsal->client = -1;
	rehearsal->listener = bind_on(family, &address, &length);
	if (rehearsal->listener < 0)
		return rehearsal->listener;
	error = mark(kernel, rehearsal);
	if (error)
		return error;
	if (listen(rehearsal->listener, 1))
		return -errno;
	rehearsal->client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(rehearsal->client, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){ .tv_sec = WAIT_MS / 1000 }, sizeof(struct timeval));
	if (rehearsal->client < 0 || connect(rehearsal->client, (struct sockaddr *)&address, length))
		return -errno;
	/* On a busy machine, the connection can reach the queue a moment later. */
	return poll(&(struct pollfd){ .fd = rehearsal->listener, .events = POLLIN }, 1, WAIT_MS) == 1 ? 0 : -ETIMEDOUT;
}

static void end_rehearsal(const struct kernel *kernel, const struct rehearsal *rehearsal)
{
	__atomic_store_n(&kernel->control->self_test, 0, __ATOMIC_SEQ_CST);
	if (rehearsal->listener >= 0)
		close(rehearsal->listener);
	if (rehearsal->client >= 0)
		close(rehearsal->client);
}

/* Accepts a connection and closes it. Returns 0, or the errno of accept(2). */
static int accept_once(const struct rehearsal *rehearsal)
{
	int fd = accept4(rehearsal->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* Prints what is wrong if an accept didn't fail with EPERM, but with the errno `refused`; 0: it succeeded. */
static enum status refuse(int refused)
{
	const char *problem = prerequisites_not_enforcing();

	if (problem)
		return fail(STATUS_FAILED, "NOT ENFORCING: an accept that had to be refused wasn't: %s", problem);
	if (refused == 0)
		return fail(STATUS_FAILED, "NOT ENFORCING: an accept that had to be refused wasn't, so the program isn't called; run: "
					   "sockaccept-ctl unload, then load, and see what the lines above say of the kernel");
	return fail(STATUS_FAILED,
		    "an accept that had to be refused with EPERM ended otherwise: %s; another security module may "
		    "forbid it to this program",
		    strerror(refused));
}

/* Judges the second accept by its errno and by what the kernel side answered. */
static enum status judge(int decided, uint64_t answer)
{
	/* In permissive mode, a denied accept succeeds. */
	if (answer == (SELF_TEST_DECIDED | VERDICT_ALLOW) ?
		    decided == 0 :
		    answer == (SELF_TEST_DECIDED | VERDICT_DENY) && (decided == 0 || decided == EPERM))
		return STATUS_DONE;
	return fail(STATUS_FAILED,
		    "an accept was refused as it had to be, but the next was not decided by the policy%s%s; run: "
		    "sockaccept-ctl unload, then load",
		    decided ? ": " : "", decided ? strerror(decided) : "");
}

static enum status refuse_and_decide(const struct kernel *kernel, const struct rehearsal *rehearsal)
{
	volatile __u64 *word = &kernel->control->self_test;
	uint64_t answer;
	int refused, decided;

	refused = accept_once(rehearsal);
	if (refused == EPERM)
		__atomic_store_n(word, rehearsal->cookie | SELF_TEST_DECIDE, __ATOMIC_SEQ_CST);
	/* A connection that wasn't refused has left the queue. */
	decided = refused == EPERM ? accept_once(rehearsal) : 0;
	answer = __atomic_load_n(word, __ATOMIC_SEQ_CST);
	return refused == EPERM ? judge(decided, answer) : refuse(refused);
}

/*
 * Shows that the program is called, by an accept of a local socket, which is only counted. Where a listener can't be marked as that of a
 * test, its accepts would be recorded as anybody's.
 */
static enum status call_only(const struct kernel *kernel)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	uint64_t before = __atomic_load_n(&kernel->state->unmediated, __ATOMIC_SEQ_CST);

	/* The kernel chooses the address; nobody connects to it. */
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address.sun_family)) || listen(fd, 1))
		return fail(STATUS_FAILED, "can't try an accept: %s", strerror(errno));
	if (accept4(fd, NULL, NULL, SOCK_CLOEXEC) >= 0 || errno != EAGAIN)
		return fail(STATUS_FAILED, "can't try an accept: %s", strerror(errno));
	return __atomic_load_n(&kernel->state->unmediated, __ATOMIC_SEQ_CST) > before ? STATUS_DONE : refuse(0);
}

enum status self_test(const struct kernel *kernel)
{
	struct rehearsal rehearsal;
	enum status status;
	int error;

	if (!kernel->writable)
		return call_only(kernel);
	error = rehearse(kernel, AF_INET, &rehearsal);
	if (error) {
		end_rehearsal(kernel, &rehearsal);
		error = rehearse(kernel, AF_INET6, &rehearsal);
	}
	if (error)
		status = fail(STATUS_FAILED,
			      "can't connect to a listener of its own, to try an accept: %s; is the loopback up? "
			      "ip link set lo up",
			      strerror(-error));
	else
		status = refuse_and_decide(kernel, &rehearsal);
	end_rehearsal(kernel, &rehearsal);
	return status;
}
