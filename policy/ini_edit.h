/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes one rule in the text of a policy file, and leaves everything else as it is: comments, order, blank lines.
 */
#ifndef SOCKACCEPT_INI_EDIT_H
#define SOCKACCEPT_INI_EDIT_H

#include "policy/policy.h"

struct ini_edit {
	const char *path; /* of the binary, as rules give it, or "any" */
	const struct port_item *ports;
	size_t port_count; /* 0: all of the binary's; only to remove */
	const uint32_t *uids;
	size_t uid_count;  /* 0: rules without a user; to remove: those with any user or none */
	bool remove;
	uint8_t verdict;   /* enum verdict, unless it is to remove */
};

/*
 * The text of a file, which ini_read() takes, after the edit: the same items of the same binary and users are gone, and those
 * of the edit are there, in a section of exactly this binary and these users, or in a new one at the end. To be freed. NULL, and
 * *problem (to be freed) says what and how to mend it: a line has what is to go together with what is to stay.
 */
char *ini_edit(const char *text, const struct ini_edit *edit, char **problem);

#endif
