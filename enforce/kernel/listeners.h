/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The listening sockets of the machine, in all network namespaces, and who may accept on them.
 */
#ifndef SOCKACCEPT_LISTENERS_H
#define SOCKACCEPT_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>

#include "enforce/kernel/kernel.h"
#include "policy/decide.h"

/* One socket, as one or several processes of one user and one binary have it open. */
struct listener {
	struct listening socket; /* its pid is the lowest of theirs */
	unsigned processes;
	uint32_t binary; /* the number by which rules find it; BINARY_ANY: none names it */
	bool known;      /* `binary` is; false: it isn't ours to look at */
	bool gone;       /* its process has ended: listeners_find() drops it */
	char *path;      /* of the executable, as /proc/PID/exe says it; NULL: not known */
	bool foreign;    /* `path` is no file of this machine's, but what the process itself would see, as in a container */
	char *unit;      /* system unit, NULL: none */
	char *cgroup;    /* its path, NULL: not known */
};

#define LISTENER_PROGRAM_MAX (4096 + 16)

/* Zero-initialised is empty. */
struct listeners {
	struct listener *list; /* by port, family, address */
	size_t count;
};

/*
 * Has the kernel side note what each socket listens on, of those that began to before it was attached. Returns 0 or -errno.
 */
int listeners_note(const struct kernel *kernel);

/*
 * Fills `listeners`, which is empty. Binaries have the numbers that `kernel` has for them just now: ask after rules have
 * given theirs. Without CAP_SYS_PTRACE the binaries of other users' processes aren't known. Returns 0 or -errno.
 */
int listeners_find(const struct kernel *kernel, struct listeners *listeners);

/*
 * The same, but each process and descriptor is an entry of its own, sorted by process: for who looks at what a process does.
 */
int listeners_find_each(const struct kernel *kernel, struct listeners *listeners);

/* What a policy is asked about it at the time `now`, ns since boot; 0: as if no temporary rule was there. */
struct request listener_request(const struct listener *listener, uint64_t now);

/* True if `image`, which isn't empty, refuses it the next listen(2), at the time `now` as above. Process 1 is never refused one. */
bool listener_is_refused(const struct listener *listener, const struct image *image, uint64_t now);

/*
 * True if the policy of `image` denies it at the time `now`, ns since boot, and means it (mode enforce). An image without pages is
 * no policy, and denies nothing. What isn't `known` is judged as a binary that no rule names: ask for that first.
 */
bool listener_is_denied(const struct listener *listener, const struct image *image, uint64_t now);

/* The path of its executable, or "a program"; of a foreign one, to be said in brackets, into `text`. */
const char *listener_program(const struct listener *listener, char text[LISTENER_PROGRAM_MAX]);

/* `0.0.0.0:80/tcp`, `[::1]:22/tcp`, `*:1024/vsock`: where it listens, into `text` of LISTENER_TEXT_MAX bytes; returns it. */
const char *listener_text(const struct listener *listener, char *text);
#define LISTENER_TEXT_MAX 80

/* Frees what it holds; it is empty then. */
void listeners_clear(struct listeners *listeners);

#endif
