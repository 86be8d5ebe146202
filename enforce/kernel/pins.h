/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is pinned on bpffs, and where.
 */
#ifndef SOCKACCEPT_PINS_H
#define SOCKACCEPT_PINS_H

#include "bpf/shared/sockaccept.h"

/* What may still be opened while the policy is locked (enforce/kernel/locked.h). */
enum when_locked {
	LOCKED_CLOSED, /* not at all */
	LOCKED_OPEN,   /* opened: a map for reading, a program to run it */
	LOCKED_MAPPED, /* opened, and mapped into memory */
};

/*
 * The one table of what is pinned: EACH(object, name, when_locked), in the order in which it is pinned. `name` is that of the map or
 * program in bpf/, and that of its pin; a link's is that of its program, and its pin is link_NAME.
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

/* Being pinned doesn't attach a program. Those of accepts are pinned for their statistics, those of the gate for enforce/kernel/gate.h. */
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

enum kernel_object {
#define OBJECT(object, name, when_locked) object,
	PINNED_MAPS(OBJECT)
	PINNED_PROGRAMS(OBJECT)
	PINNED_LINKS(OBJECT)
#undef OBJECT
	KERNEL_OBJECTS,
};
#define FIRST_PROGRAM PROGRAM_IDENTIFY
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
