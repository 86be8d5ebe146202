/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Telling the service manager how a daemon does: the protocol of sd_notify(3), a datagram to $NOTIFY_SOCKET.
 */
#ifndef SOCKACCEPT_NOTIFY_H
#define SOCKACCEPT_NOTIFY_H

#include <stdint.h>

/* What a service says that waits for a policy. */
#define NOTIFY_NOT_LOADED "STATUS=not loaded: waiting for sockaccept-ctl load"

/*
 * Sends `state`, such as "READY=1" or "STATUS=waiting". Does nothing if no service manager asked for it; one that can't be
 * reached is none.
 */
void notify(const char *state);

/*
 * Says "WATCHDOG=1" if the service manager wants to hear that, and it is time: *at, ns since boot, which is 0 at first. To be called often.
 */
void notify_alive(int64_t *at);

#endif
