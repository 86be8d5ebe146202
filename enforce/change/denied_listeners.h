/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Warns of those who listen now and are denied by a change of the policy.
 */
#ifndef SOCKACCEPT_DENIED_LISTENERS_H
#define SOCKACCEPT_DENIED_LISTENERS_H

#include "enforce/kernel/listeners.h"

struct denied_listener {
	const struct listener *listener;
	bool shared;  /* another process has the socket too, and stays allowed */
	bool refused; /* its next listen(2) will be denied too */
	bool named;   /* for denied_listeners_warn() alone */
};

/* Warns of the `count` listeners of `denied`, with one line for each binary and port. */
void denied_listeners_warn(struct denied_listener *denied, size_t count);

#endif
