/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The change lock: one command at a time changes the policy.
 */
#ifndef SOCKACCEPT_CHANGE_LOCK_H
#define SOCKACCEPT_CHANGE_LOCK_H

#include <stdbool.h>

#include "enforce/base/status.h"

#define RUNTIME_DIR "/run/sockaccept"

/*
 * Waits until no other sockaccept-ctl changes anything, and keeps others from it until *fd is closed, at the latest by the process's end.
 * Prints what is wrong.
 */
enum status change_lock_take(int *fd);

/*
 * Does the same without waiting. Returns false if somebody else has the lock, or if it can't be had. The caller closes *fd in any case,
 * unless it is -1.
 */
bool change_lock_try(int *fd);

/*
 * Removes what a `lock` that was killed has left, unless a command is changing something at the moment: the guard of the maps would refuse
 * readers too. Prints nothing.
 */
void change_lock_clear_remains(void);

/*
 * Takes the change lock for a command that changes something, and removes what commands that were killed have left. Prints what is wrong.
 */
enum status change_begin(int *fd);

#endif
