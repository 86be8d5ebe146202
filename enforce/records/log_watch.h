/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Notices that somebody has removed, moved or replaced the lasting log without telling the daemon.
 */
#ifndef SOCKACCEPT_LOG_WATCH_H
#define SOCKACCEPT_LOG_WATCH_H

#include "enforce/records/log_keep.h"

/* Zero-initialised is ready. */
struct log_watch {
	struct log_source looked; /* the place of the log at the last look that found its name right; boot_id "": none yet */
	int64_t looked_at;        /* when that was, ns since boot */
	bool missed;              /* at the last look, the name led elsewhere */
	bool failed;              /* it has warned that the log can't be opened anew */
};

/*
 * Looks whether the log's name leads to the file that is written. Call it every few seconds, after log_keep(). If the name leads elsewhere
 * twice in a row, and so not only between a rename by logrotate and its SIGHUP, goes on in the file of that name, and makes it if need be.
 * If the old file was removed, writes again what was written to it since the last look that found the name right.
 */
void log_watch(struct log_watch *watch, struct log_keeper *keeper);

#endif
