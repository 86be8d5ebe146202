/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The listening sockets of the machine, in all network namespaces, and who may accept on them.
 */
#ifndef SOCKACCEPT_LISTENERS_H
#define SOCKACCEPT_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>

#include "enforce/kernel.h"
#include "policy/decide.h"

/* One socket, as one or several processes of one user and one binary have it open. */
struct listener {
	struct listening socket; /* its pid is the lowest of theirs */
	unsigned processes;
	uint32_t binary; /* the number by which rules find it; BINARY_ANY: none names it */
	bool known;      /* `binary` is; false: it isn't ours to look at */
	char *path;      /* of the executable, as the process's own /proc/PID/exe leads to it; NULL: not known */
	char *unit;      /* system unit, NULL: none */
};

/* Zero-initialised is empty. */
struct listeners {
	struct listener *list; /* by port, family, address */
	size_t count;
};

/*
 * Fills `listeners`, which is empty. Binaries have the numbers that `kernel` has for them just now: ask after rules have
 * given theirs. Without CAP_SYS_PTRACE the binaries of other users' processes aren't known. Returns 0 or -errno.
 */
int listeners_find(const struct kernel *kernel, struct listeners *listeners);

/* What a policy is asked about it at the time `now`, ns since boot; 0: as if no temporary rule was there. */
struct request listener_request(const struct listener *listener, uint64_t now);

/* `0.0.0.0:80/tcp`, `[::1]:22/tcp`, `*:1024/vsock`: where it listens, into `text` of LISTENER_TEXT_MAX bytes; returns it. */
const char *listener_text(const struct listener *listener, char *text);
#define LISTENER_TEXT_MAX 80

/* Frees what it holds; it is empty then. */
void listeners_clear(struct listeners *listeners);

#endif
