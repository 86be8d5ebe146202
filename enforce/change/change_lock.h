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

#endif
