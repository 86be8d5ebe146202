/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waits for child processes. They do what could kill or block this process.
 */
#ifndef SOCKACCEPT_CHILD_H
#define SOCKACCEPT_CHILD_H

#include <stdint.h>
#include <sys/types.h>

/* Waits until `child` has ended. Kills it after `patience_ms` milliseconds. */
void child_wait(pid_t child, int64_t patience_ms);

#endif
