/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads lists of ports and of users from the command line.
 */
#ifndef SOCKACCEPT_ITEMS_H
#define SOCKACCEPT_ITEMS_H

#include <stddef.h>

#include "enforce/base/status.h"
#include "policy/port.h"
#include "policy/user.h"

/* Zero-initialised is empty. */
struct port_items {
	struct port_item *list;
	size_t count;
};

/*
 * Adds the items of `text` that aren't there already: one, or several with commas between, as in a policy file. A `text` of NULL has
 * none. Prints what is wrong, and then returns STATUS_USAGE. The caller frees the list, or clears the users, in any case.
 */
enum status port_items_read(struct port_items *items, const char *text);
enum status user_items_read(struct user_items *items, const char *text);

#endif
