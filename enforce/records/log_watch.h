/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Noticing that the lasting log was removed, moved or replaced behind the daemon's back.
 */
#ifndef SOCKACCEPT_LOG_WATCH_H
#define SOCKACCEPT_LOG_WATCH_H

#include "enforce/records/log_keep.h"

/* Zero-initialised is ready. */
struct log_watch {
	struct log_source looked; /* where the log was when its name was seen to be right last; boot_id "": not yet */
	int64_t looked_at;        /* ns since boot */
	bool missed;              /* at the last look the name led elsewhere */
	bool failed;              /* that it can't be opened anew was said */
};

/*
 * Looks whether the log's name leads to the file that is written; to be called every few seconds, behind log_keep(). Where it
 * doesn't twice in a row, and not only between a rename of logrotate and its SIGHUP, it goes on in the file of that name, which
 * it makes. If the old file is gone, what was written there since the last good look is written again.
 */
void log_watch(struct log_watch *watch, struct log_keeper *keeper);

#endif
