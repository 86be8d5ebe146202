/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/kernel/pins.h"

#include <stdio.h>

static const char *const pin_names[] = {
	[MAP_POLICY] = "policy",
	[MAP_CONTROL] = "control",
	[MAP_STATE] = "state",
	[MAP_ENTRIES] = "entries",
	[MAP_SUPERBLOCKS] = "superblocks",
	[MAP_BINARY_PATHS] = "binary_paths",
	[MAP_EXECUTABLES] = "executables",
	[MAP_PROCESSES] = "processes",
	[MAP_LISTENED] = "listened",
	[MAP_DRAIN_CALLS] = "drain_calls",
	[MAP_SEEN_PATHS] = "seen_paths",
	[MAP_RULE_COUNTERS] = "rule_counters",
	[MAP_PORTS] = "ports",
	[MAP_OTHER_PORTS] = "other_ports",
	[MAP_UNITS] = "units",
	[MAP_FOLDS] = "folds",
	[MAP_SHARES] = "shares",
	[MAP_EVENTS] = "events",
	[PROGRAM_IDENTIFY] = "identify_files",
	[PROGRAM_LISTENERS] = "list_listeners",
	[PROGRAM_PROCESSES] = "list_processes",
	[PROGRAM_CLOSE_WINDOWS] = "close_windows",
	[PROGRAM_DRAIN] = "drain",
	[PROGRAM_SOCKET_ACCEPT] = "socket_accept",
	[PROGRAM_CONNECTION_GRAFT] = "connection_graft",
	[PROGRAM_ACCEPT_END] = "accept_end",
	[PROGRAM_CONNECTION_REQUEST] = "connection_request",
	[PROGRAM_ASSOCIATION_REQUEST] = "association_request",
	[LINK_SUPERBLOCK_FREE] = "link_superblock_free",
	[LINK_PROCESS_FORK] = "link_process_fork",
	[LINK_PROCESS_EXEC] = "link_process_exec",
	[LINK_SOCKET_BIND] = "link_socket_bind",
	[LINK_SOCKET_LISTEN] = "link_socket_listen",
	[LINK_TASK_PRCTL] = "link_task_prctl",
	[LINK_ACCEPT_END] = "link_accept_end",
	[LINK_CONNECTION_GRAFT] = "link_connection_graft",
	[LINK_SOCKET_ACCEPT] = "link_socket_accept",
};
_Static_assert(sizeof(pin_names) / sizeof(pin_names[0]) == KERNEL_OBJECTS, "each object has a name");

static const char *in_use = SOCKACCEPT_PIN_DIR;

void pins_are_in(const char *directory)
{
	in_use = directory;
}

const char *pins_directory(void)
{
	return in_use;
}

const char *pin_path(enum kernel_object object, char *path, unsigned size)
{
	snprintf(path, size, "%s/%s", in_use, pin_names[object]);
	return path;
}

const char *pins_policies(char *path, unsigned size)
{
	snprintf(path, size, "%s/policies", in_use);
	return path;
}
