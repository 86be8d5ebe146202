/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a change of the policy has left undone on denied listeners: threads that couldn't be asked again (ask_again.h), and connections that
 * couldn't be drained (drain.h). Both warn of them in the same way.
 */
#ifndef SOCKACCEPT_LEFTOVERS_H
#define SOCKACCEPT_LEFTOVERS_H

#include <stddef.h>
#include <stdint.h>

#include "enforce/kernel/listeners.h"

struct leftover {
	uint32_t pid;                  /* of a process that holds the listener */
	int why;                       /* as the list's owner defines it */
	char *program;                 /* as listener_program() has it */
	char place[LISTENER_TEXT_MAX]; /* the listener, as listener_text() has it */
};

/* Zero-initialised is empty. */
struct leftovers {
	struct leftover *list;
	size_t count;
};

/* Adds `listener` with the reason `why`. */
void leftovers_add(struct leftovers *leftovers, const struct listener *listener, int why);

/*
 * Calls `warn_of` for the first few, and warns of the number of the others: "and 3 more ", then `one` (if there is one) or `many`.
 */
void leftovers_warn(const struct leftovers *leftovers, void (*warn_of)(const struct leftover *left), const char *one, const char *many);

/* Frees what `leftovers` holds and leaves it empty. */
void leftovers_clear(struct leftovers *leftovers);

#endif
