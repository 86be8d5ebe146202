/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One change at a time.
 */
#ifndef SOCKACCEPT_CHANGE_LOCK_H
#define SOCKACCEPT_CHANGE_LOCK_H

#include <stdbool.h>

#include "enforce/base/status.h"

#define RUNTIME_DIR "/run/sockaccept"

/*
 * Waits until no other sockaccept-ctl changes anything, and keeps others from it until *fd is closed, by the
 * process's end at the latest. Says what is wrong.
 */
enum status change_lock_take(int *fd);

/* The same without waiting. False: somebody has it, or it can't be had; *fd is to be closed in any case, unless it is -1. */
bool change_lock_try(int *fd);

/*
 * Removes what a `lock` that was killed has left, unless a command is just changing something: the guard of the maps would refuse
 * readers too. Says nothing.
 */
void change_lock_clear_remains(void);

/* Takes the change lock for a command that changes something, and removes what commands that were killed have left. */
enum status change_begin(int *fd);

#endif
