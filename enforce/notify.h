/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Telling the service manager how a daemon does: the protocol of sd_notify(3), a datagram to $NOTIFY_SOCKET.
 */
#ifndef SOCKACCEPT_NOTIFY_H
#define SOCKACCEPT_NOTIFY_H

#include <stdint.h>

/*
 * Sends `state`, such as "READY=1" or "STATUS=waiting". Does nothing if no service manager asked for it; one that can't be
 * reached is none.
 */
void notify(const char *state);

/* How often "WATCHDOG=1" is wanted, in ns: half the time after which the service would be killed. 0: not at all. */
int64_t notify_watchdog_ns(void);

#endif
