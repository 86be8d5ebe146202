/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A listening socket with a process that has it open: what a policy decides about it, and how it is printed.
 */
#ifndef SOCKACCEPT_LISTENER_H
#define SOCKACCEPT_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/shared/sockaccept.h"
#include "policy/decide.h"

/* One socket, as open in one or more processes of one user and one binary. */
struct listener {
	struct listening socket; /* its pid is the lowest of theirs */
	unsigned processes;
	uint32_t binary; /* the number that rules know it by; BINARY_ANY: no rule names it */
	bool known;      /* `binary` is known; false: this process may not look at the other */
	bool gone;       /* its process has ended: listeners_find() drops it */
	char *path;      /* of the executable, as /proc/PID/exe says it; NULL: not known */
	bool foreign;    /* `path` is not a file of this machine's, but what the process itself sees, as in a container */
	char *unit;      /* its system unit; NULL: none */
	char *cgroup;    /* its path in the unified hierarchy; NULL: not known */
};

/* Returns what a policy is asked about the listener at the time `now`, in ns since boot; 0 leaves temporary rules out. */
struct request listener_request(const struct listener *listener, uint64_t now);

/*
 * Returns true if the policy of `image`, which isn't empty, would refuse the listener's next listen(2) at the time `now`, as above.
 * Process 1 is never refused a listen(2).
 */
bool listener_is_refused(const struct listener *listener, const struct image *image, uint64_t now);

/*
 * Returns true if the policy of `image` denies the listener at the time `now`, in ns since boot, and enforces that (mode enforce). An
 * image without pages is no policy, and denies nothing. A listener that isn't `known` is judged as a binary that no rule names:
 * check `known` first.
 */
bool listener_is_denied(const struct listener *listener, const struct image *image, uint64_t now);

/* Returns the path of the listener's executable, or "a program". A foreign path is put in brackets, into `text`. */
#define LISTENER_PROGRAM_MAX (4096 + 16)
const char *listener_program(const struct listener *listener, char text[LISTENER_PROGRAM_MAX]);

/*
 * Writes where it listens into `text`, of LISTENER_TEXT_MAX bytes, and returns `text`: `0.0.0.0:80/tcp`, `[::1]:22/tcp` or
 * `*:1024/vsock`.
 */
#define LISTENER_TEXT_MAX 80
const char *listener_text(const struct listener *listener, char *text);

/* Frees the texts that `listener` holds. */
void listener_clear(struct listener *listener);

#endif
