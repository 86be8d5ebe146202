/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is pinned on bpffs, and where.
 */
#ifndef SOCKACCEPT_PINS_H
#define SOCKACCEPT_PINS_H

#include "bpf/shared/sockaccept.h"

/* The pinned objects, in the order of their names in pins.c. */
enum kernel_object {
	MAP_POLICY,
	MAP_CONTROL,
	MAP_STATE,
	MAP_ENTRIES,
	MAP_SUPERBLOCKS,
	MAP_BINARY_PATHS,
	MAP_EXECUTABLES,
	MAP_PROCESSES,
	MAP_LISTENED,
	MAP_DRAIN_CALLS,
	MAP_SEEN_PATHS,
	MAP_RULE_COUNTERS,
	MAP_PORTS,
	MAP_OTHER_PORTS,
	MAP_UNITS,
	MAP_FOLDS,
	MAP_SHARES,
	MAP_EVENTS,
	PROGRAM_IDENTIFY,
	PROGRAM_LISTENERS,
	PROGRAM_PROCESSES,
	PROGRAM_CLOSE_WINDOWS,
	PROGRAM_DRAIN,
	PROGRAM_SOCKET_ACCEPT, /* for their statistics: being pinned doesn't attach a program */
	PROGRAM_CONNECTION_GRAFT,
	PROGRAM_ACCEPT_END,
	PROGRAM_CONNECTION_REQUEST, /* to be attached and detached as the policy says (enforce/kernel/gate.h) */
	PROGRAM_ASSOCIATION_REQUEST,
	LINK_SUPERBLOCK_FREE,
	LINK_PROCESS_FORK,
	LINK_PROCESS_EXEC,
	LINK_TASK_PRCTL,
	LINK_SOCKET_BIND,
	LINK_SOCKET_LISTEN,
	LINK_ACCEPT_END,
	LINK_CONNECTION_GRAFT,
	LINK_SOCKET_ACCEPT, /* last: while it is pinned, the policy is enforced */
	KERNEL_OBJECTS,
};
#define FIRST_LINK LINK_SUPERBLOCK_FREE

/* Path of a pin into `path`, of `size` bytes. Returns `path`. */
const char *pin_path(enum kernel_object object, char *path, unsigned size);
#define PIN_PATH_MAX 96

/* Where the images of policies are pinned, by the id of their map. The same. */
const char *pins_policies(char *path, unsigned size);

/*
 * From here on, all that is pinned, opened and removed is in `directory`, which must stay. At first that is
 * SOCKACCEPT_PIN_DIR: only while one kernel side takes over from another are there two.
 */
void pins_are_in(const char *directory);
const char *pins_directory(void);

#endif
