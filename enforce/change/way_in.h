/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds by which connection the administrator came who runs this command; as a rule over SSH.
 */
#ifndef SOCKACCEPT_WAY_IN_H
#define SOCKACCEPT_WAY_IN_H

#include <stdbool.h>
#include <stddef.h>

#define WAY_IN_PORTS 64

/* Local ports of this machine. */
struct way_in {
	unsigned ports[WAY_IN_PORTS];
	size_t count;
	bool found; /* way_in_find() was called */
};

/*
 * Fills `way` with the ports that SSH_CONNECTION (ssh(1)) names in the environment of this process and of its ancestors, and those of the
 * TCP connections that its ancestors have open. It takes both: sudo and su clear the environment, and a command in tmux has no ancestor
 * with the connection. Passes over what this process may not look at.
 */
void way_in_find(struct way_in *way);

/* Returns true if `port` is one of them. */
bool way_in_has(const struct way_in *way, unsigned port);

#endif
