/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists what is pinned on bpffs, and tells where.
 */
#ifndef SOCKACCEPT_PINS_H
#define SOCKACCEPT_PINS_H

#include "bpf/shared/sockaccept.h"

/* How far an object may be opened while the policy is locked (enforce/kernel/locked.h). */
enum when_locked {
	LOCKED_CLOSED, /* not at all */
	LOCKED_OPEN,   /* a map for reading, a program to run it */
	LOCKED_MAPPED, /* a map, also to map it into memory */
};

/*
 * The three lists of pinned objects, in the order in which they are pinned: EACH(object, name, when_locked). A map or program has the same
 * name in bpf/ and as a pin. A link has the name of its program, and its pin is link_NAME. All else about an object follows from here.
 */
#define PINNED_MAPS(EACH)                                   \
	EACH(MAP_POLICY, policy, LOCKED_CLOSED)             \
	EACH(MAP_CONTROL, control, LOCKED_CLOSED)           \
	EACH(MAP_STATE, state, LOCKED_MAPPED)               \
	EACH(MAP_ENTRIES, entries, LOCKED_CLOSED)           \
	EACH(MAP_SUPERBLOCKS, superblocks, LOCKED_CLOSED)   \
	EACH(MAP_BINARY_PATHS, binary_paths, LOCKED_OPEN)   \
	EACH(MAP_EXECUTABLES, executables, LOCKED_CLOSED)   \
	EACH(MAP_PROCESSES, processes, LOCKED_CLOSED)       \
	EACH(MAP_LISTENED, listened, LOCKED_CLOSED)         \
	EACH(MAP_DRAIN_CALLS, drain_calls, LOCKED_MAPPED)   \
	EACH(MAP_SEEN_PATHS, seen_paths, LOCKED_OPEN)       \
	EACH(MAP_RULE_COUNTERS, rule_counters, LOCKED_OPEN) \
	EACH(MAP_PORTS, ports, LOCKED_MAPPED)               \
	EACH(MAP_OTHER_PORTS, other_ports, LOCKED_OPEN)     \
	EACH(MAP_UNITS, units, LOCKED_OPEN)                 \
	EACH(MAP_FOLDS, folds, LOCKED_CLOSED)               \
	EACH(MAP_SHARES, shares, LOCKED_CLOSED)             \
	EACH(MAP_EVENTS, events, LOCKED_MAPPED)

/*
 * A pin doesn't attach a program. socket_accept, connection_graft and accept_end are pinned for their statistics; connection_request and
 * association_request so that enforce/kernel/gate.h can attach and detach them.
 */
#define PINNED_PROGRAMS(EACH)                                               \
	EACH(PROGRAM_IDENTIFY, identify_files, LOCKED_OPEN)                 \
	EACH(PROGRAM_LISTENERS, list_listeners, LOCKED_OPEN)                \
	EACH(PROGRAM_PROCESSES, list_processes, LOCKED_OPEN)                \
	EACH(PROGRAM_CLOSE_WINDOWS, close_windows, LOCKED_OPEN)             \
	EACH(PROGRAM_DRAIN, drain, LOCKED_OPEN)                             \
	EACH(PROGRAM_SOCKET_ACCEPT, socket_accept, LOCKED_CLOSED)           \
	EACH(PROGRAM_CONNECTION_GRAFT, connection_graft, LOCKED_CLOSED)     \
	EACH(PROGRAM_ACCEPT_END, accept_end, LOCKED_CLOSED)                 \
	EACH(PROGRAM_CONNECTION_REQUEST, connection_request, LOCKED_CLOSED) \
	EACH(PROGRAM_ASSOCIATION_REQUEST, association_request, LOCKED_CLOSED)

/* LINK_SOCKET_ACCEPT is the last: while it is pinned, the policy is enforced. */
#define PINNED_LINKS(EACH)                                           \
	EACH(LINK_SUPERBLOCK_FREE, superblock_free, LOCKED_CLOSED)   \
	EACH(LINK_PROCESS_FORK, process_fork, LOCKED_CLOSED)         \
	EACH(LINK_PROCESS_EXEC, process_exec, LOCKED_CLOSED)         \
	EACH(LINK_TASK_PRCTL, task_prctl, LOCKED_CLOSED)             \
	EACH(LINK_SOCKET_BIND, socket_bind, LOCKED_CLOSED)           \
	EACH(LINK_SOCKET_LISTEN, socket_listen, LOCKED_CLOSED)       \
	EACH(LINK_ACCEPT_END, accept_end, LOCKED_CLOSED)             \
	EACH(LINK_CONNECTION_GRAFT, connection_graft, LOCKED_CLOSED) \
	EACH(LINK_SOCKET_ACCEPT, socket_accept, LOCKED_CLOSED)

/* All of them. */
#define PINNED_OBJECTS(EACH) PINNED_MAPS(EACH) PINNED_PROGRAMS(EACH) PINNED_LINKS(EACH)

enum kernel_object {
#define OBJECT(object, name, when_locked) object,
	PINNED_OBJECTS(OBJECT)
#undef OBJECT
	KERNEL_OBJECTS,
};
#define FIRST_PROGRAM PROGRAM_IDENTIFY
#define FIRST_LINK LINK_SUPERBLOCK_FREE

#define PIN_PATH_MAX 96

/* Writes the path of an object's pin into `path`, of `size` bytes (PIN_PATH_MAX is enough), and returns `path`. */
const char *pin_path(enum kernel_object object, char *path, unsigned size);

/* Writes the path of the directory in which images of policies are pinned, each by the id of its map, as pin_path() does. */
const char *pins_policies(char *path, unsigned size);

/*
 * Makes all that is pinned, opened and removed from now on be in `directory`, a text that must stay valid. At first that is
 * SOCKACCEPT_PIN_DIR; there are two directories only while one kernel side takes over from another.
 */
void pins_are_in(const char *directory);

/* Returns the directory that pins are in now. */
const char *pins_directory(void);

#endif
