/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the names that events have only as numbers: paths of binaries that rules name, and units. Keeps the last ones, as a call to the
 * kernel for each event would take longer than all else about the event.
 */
#ifndef SOCKACCEPT_NAMES_H
#define SOCKACCEPT_NAMES_H

#include "enforce/kernel/kernel.h"

#define NAMES_KEPT 256 /* of each kind; a power of two */

/* Empty when zero-initialised except for `kernel`. */
struct names {
	const struct kernel *kernel;
	uint64_t generation; /* of the policy that the paths are of */
	struct kept_name {
		uint64_t number;
		char *text; /* NULL: none kept */
	} paths[NAMES_KEPT], units[NAMES_KEPT];
	struct kept_path seen;
};

/* Returns the path of the event's binary from the machine's own root, valid until the next call; NULL if it isn't known. */
const char *names_binary(struct names *names, const struct event *event);

/* Returns the system unit of the event's process, valid until the next call; NULL if there is none, or it isn't known. */
const char *names_unit(struct names *names, const struct event *event);

/* Frees the names. */
void names_clear(struct names *names);

#endif
