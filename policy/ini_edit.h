/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes one rule in the text of a policy file, and leaves everything else as it is: comments, order, blank lines.
 */
#ifndef SOCKACCEPT_INI_EDIT_H
#define SOCKACCEPT_INI_EDIT_H

#include "policy/rule_edit.h"

/*
 * The text of a file, which ini_read() takes, after the edit: the same items of the same binary and users are gone (to remove
 * what was made, those of sections with the name that `allow` and `deny` give), and those of the edit are there, in a section of exactly this binary and these users, or in a new one at the end. To be freed. NULL, and
 * *problem (to be freed) says what and how to mend it: a line has what is to go together with what is to stay.
 */
char *ini_edit(const char *text, const struct rule_edit *edit, char **problem);

#endif
