/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names that events have only numbers of: paths of binaries that rules name, and units. Kept, as asking the kernel for
 * each event would take longer than the event.
 */
#ifndef SOCKACCEPT_NAMES_H
#define SOCKACCEPT_NAMES_H

#include "enforce/kernel/kernel.h"

#define NAMES_KEPT 256 /* of each kind; a power of two */

/* Zero-initialised, but for `kernel`, is empty. */
struct names {
	const struct kernel *kernel;
	uint64_t generation; /* of the policy that the paths are of */
	struct kept_name {
		uint64_t number;
		char *text; /* NULL: none kept */
	} paths[NAMES_KEPT], units[NAMES_KEPT];
	struct kept_path seen;
};

/*
 * The path of the event's binary from the machine's own root, valid until the next call; NULL: it isn't known.
 */
const char *names_binary(struct names *names, const struct event *event);

/* The system unit of the event's process, valid until the next call; NULL: none, or not known. */
const char *names_unit(struct names *names, const struct event *event);

/* Frees what it holds. */
void names_clear(struct names *names);

#endif
