/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes one rule in the text of a policy file, and leaves everything else as it is: comments, order, blank lines.
 */
#ifndef SOCKACCEPT_INI_EDIT_H
#define SOCKACCEPT_INI_EDIT_H

#include "policy/rule_edit.h"

/*
 * Returns the text of a file after an edit, to be freed. `text` must be one that ini_read() accepts.
 *
 * The edit's ports are taken from the sections of its binary and users; if it removes what `allow` and `deny` made, only from the
 * sections that have their name. Unless it removes, its ports then go to a section of exactly this binary and these users, or to a
 * new one at the end.
 *
 * Returns NULL, and sets *problem to a message to be freed, if a line says the same for others too: where, and how to fix it.
 * *problem is NULL otherwise.
 */
char *ini_edit(const char *text, const struct rule_edit *edit, char **problem);

#endif
