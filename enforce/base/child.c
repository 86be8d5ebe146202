/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waits on a pidfd, so that there is an end to the patience.
 */
#include "enforce/base/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "enforce/base/when.h"
#include "policy/cleanup.h"

#define MILLISECOND 1000000LL

void child_wait(pid_t child, int64_t patience_ms)
{
	_cleanup_close_ int fd = pidfd_open(child, 0);
	struct pollfd end = { .fd = fd, .events = POLLIN };
	int64_t last = when_now().boot + patience_ms * MILLISECOND, left;

	while (fd >= 0 && (left = last - when_now().boot) > 0)
		if (poll(&end, 1, (int)(left / MILLISECOND) + 1) == 1)
			break;
	if (end.revents == 0)
		kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}
