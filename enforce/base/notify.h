/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells the service manager the state of the daemon, by the protocol of sd_notify(3): a datagram to $NOTIFY_SOCKET.
 */
#ifndef SOCKACCEPT_NOTIFY_H
#define SOCKACCEPT_NOTIFY_H

#include <stdint.h>

/* The state of a service that waits for a policy. */
#define NOTIFY_NOT_LOADED "STATUS=not loaded: waiting for sockaccept-ctl load"

/*
 * Sends `state`, such as "READY=1" or "STATUS=waiting". Does nothing if no service manager has asked for it, or if it can't be reached.
 */
void notify(const char *state);

/*
 * Sends "WATCHDOG=1" if the service manager asks for that and the time has come. Call it often. *at keeps when the next one is due, in ns
 * since boot; set it to 0 at first.
 */
void notify_alive(int64_t *at);

#endif
