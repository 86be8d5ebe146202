/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Child processes that do what this one must survive.
 */
#ifndef SOCKACCEPT_CHILD_H
#define SOCKACCEPT_CHILD_H

#include <stdint.h>
#include <sys/types.h>

/* Waits until `child` has ended, and after `patience_ms` kills it. */
void child_wait(pid_t child, int64_t patience_ms);

#endif
