/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The completion script for bash.
 */
#ifndef SOCKACCEPT_COMPLETION_H
#define SOCKACCEPT_COMPLETION_H

/* Prints a script for bash, to standard output, that completes verbs, options and their values. */
void completion_print(void);

#endif
