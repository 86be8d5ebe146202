/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last events of the log.
 */
#ifndef SOCKACCEPT_HISTORY_TAIL_H
#define SOCKACCEPT_HISTORY_TAIL_H

#include "enforce/records/history.h"

/*
 * Calls `each` for the last `most` events of the log that are wanted, oldest first, and for nothing that was missed. Returns 0, -errno, or
 * what `each` returned.
 */
int history_walk_tail(struct history *history, size_t most, history_function each, void *context);

#endif
