/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/self_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "enforce/live.h"
#include "enforce/prerequisites.h"
#include "policy/cleanup.h"

/* So long a connection over the loopback is waited for at most: a packet filter may drop it. */
#define WAIT_MS 5000

/* A listener on the loopback, on a port that was free, and a connection that waits in its queue. */
struct rehearsal {
	int listener, client;
};

static int listen_on(int family, struct sockaddr_storage *address, socklen_t *length)
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
	if (fd < 0 || bind(fd, (struct sockaddr *)address, *length) || listen(fd, 1) ||
	    getsockname(fd, (struct sockaddr *)address, length))
		return -errno;
	return TAKE_FD(fd);
}

/* Returns 0 or -errno. */
static int rehearse(int family, struct rehearsal *rehearsal)
{
	struct sockaddr_storage address;
	socklen_t length;

	rehearsal->client = -1;
	rehearsal->listener = listen_on(family, &address, &length);
	if (rehearsal->listener < 0)
		return rehearsal->listener;
	rehearsal->client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(rehearsal->client, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){ .tv_sec = WAIT_MS / 1000 }, sizeof(struct timeval));
	if (rehearsal->client < 0 || connect(rehearsal->client, (struct sockaddr *)&address, length))
		return -errno;
	/* On a busy machine, it may come into the queue a moment after. */
	return poll(&(struct pollfd){ .fd = rehearsal->listener, .events = POLLIN }, 1, WAIT_MS) == 1 ? 0 : -ETIMEDOUT;
}

static void end_rehearsal(const struct rehearsal *rehearsal)
{
	if (rehearsal->listener >= 0)
		close(rehearsal->listener);
	if (rehearsal->client >= 0)
		close(rehearsal->client);
}

/* Returns 0, or the errno of accept(2). */
static int accept_once(const struct rehearsal *rehearsal)
{
	int fd = accept4(rehearsal->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static uint64_t decisions(const struct kernel *kernel)
{
	const struct tally *tally = kernel->state->decisions;

	return __atomic_load_n(&tally[VERDICT_ALLOW].decisions, __ATOMIC_SEQ_CST) +
	       __atomic_load_n(&tally[VERDICT_DENY].decisions, __ATOMIC_SEQ_CST);
}

static enum status judge(int refused, int decided, bool counted)
{
	const char *problem = prerequisites_not_enforcing();

	if (refused == EPERM && (decided == 0 || decided == EPERM) && counted)
		return STATUS_DONE;
	if (problem)
		return fail(STATUS_FAILED, "NOT ENFORCING: an accept that had to be refused wasn't: %s", problem);
	if (refused == 0)
		return fail(STATUS_FAILED, "NOT ENFORCING: an accept that had to be refused wasn't, so the program isn't called; run: "
			    "sockaccept-ctl unload, then load, and see what the lines above say of the kernel");
	if (refused != EPERM)
		return fail(STATUS_FAILED, "an accept that had to be refused with EPERM ended otherwise: %s; another security module may "
			    "forbid it to this program", strerror(refused));
	return fail(STATUS_FAILED, "an accept was refused as it had to be, but the next was not decided by the policy%s%s; run: "
		    "sockaccept-ctl unload, then load", decided ? ": " : "", decided ? strerror(decided) : "");
}

static enum status decide_only(const struct kernel *kernel, const struct rehearsal *rehearsal)
{
	uint64_t before = decisions(kernel);
	int decided = accept_once(rehearsal);

	return judge(EPERM, decided, decisions(kernel) > before);
}

static enum status refuse_and_decide(const struct kernel *kernel, const struct rehearsal *rehearsal)
{
	uint64_t cookie = 0, before;
	socklen_t length = sizeof(cookie);
	int refused, decided;

	if (getsockopt(rehearsal->listener, SOL_SOCKET, SO_COOKIE, &cookie, &length) || !cookie)
		return fail(STATUS_FAILED, "can't try an accept: SO_COOKIE: %s", strerror(errno));
	__atomic_store_n(&kernel->control->self_test, cookie, __ATOMIC_SEQ_CST);
	refused = accept_once(rehearsal);
	__atomic_store_n(&kernel->control->self_test, 0, __ATOMIC_SEQ_CST);
	before = decisions(kernel);
	/* What wasn't refused is gone from the queue. */
	decided = refused ? accept_once(rehearsal) : 0;
	return judge(refused, decided, decisions(kernel) > before);
}

enum status self_test(const struct kernel *kernel)
{
	struct rehearsal rehearsal;
	int error = rehearse(AF_INET, &rehearsal);
	enum status status;

	if (error) {
		end_rehearsal(&rehearsal);
		error = rehearse(AF_INET6, &rehearsal);
	}
	if (error)
		status = fail(STATUS_FAILED, "can't connect to a listener of its own, to try an accept: %s; is the loopback up? ip link set lo up",
			      strerror(-error));
	else
		status = (kernel->writable ? refuse_and_decide : decide_only)(kernel, &rehearsal);
	end_rehearsal(&rehearsal);
	return status;
}
