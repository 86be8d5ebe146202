/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Says who listens now and is denied from a change of the policy on.
 */
#ifndef SOCKACCEPT_DENIED_LISTENERS_H
#define SOCKACCEPT_DENIED_LISTENERS_H

#include "enforce/kernel/listeners.h"

struct denied_listener {
	const struct listener *listener;
	bool shared; /* somebody else has the socket too, and stays allowed */
	bool refused; /* its next listen(2) is, too */
	bool named;  /* denied_listeners_warn()'s own */
};

/* Warns of them, with one line for each binary and port. */
void denied_listeners_warn(struct denied_listener *denied, size_t count);

#endif
