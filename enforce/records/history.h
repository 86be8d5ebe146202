/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the lasting log and the live buffers as one: each event once, oldest first. Events that are in the log come from there, later ones
 * from the kernel.
 */
#ifndef SOCKACCEPT_HISTORY_H
#define SOCKACCEPT_HISTORY_H

#include "enforce/records/filter.h"
#include "enforce/records/log_seek.h"
#include "enforce/records/needles.h"
#include "enforce/records/reader.h"

/* What a walk through the events finds. */
struct history_item {
	const struct record *record; /* NULL: events were missed here */
	uint64_t missed;             /* how many, of the verdicts that are wanted */
	int64_t boot;                /* when that was noticed, ns since boot */
	const char *line;            /* as it stands in the log, without its newline; NULL: from the kernel */
	size_t length;
};

/* Called for each item; `context` is the caller's. Any value but 0 ends the walk. */
typedef int (*history_function)(void *context, const struct history_item *item);

/* Zero-initialised is closed. */
struct history {
	const struct filter *filter;
	const struct kernel *kernel; /* NULL: there is only the log */
	enum status without;         /* why; printed already, unless it is STATUS_NOT_LOADED. STATUS_DONE: only the log is wanted */
	struct log_reader log;
	struct log_source end;  /* where the log ends */
	struct log_source live; /* the kernel side whose events follow the log */
	struct log_source at;   /* behind the last item: kept exactly once history_continue() was called */
	bool exact;
	struct reader reader;
	struct record_maker maker;
	uint64_t said[VERDICTS]; /* how many of the missed events were given out */
	struct needles needles;
	int64_t since;        /* from when on events are wanted, ns since boot */
	bool begun[VERDICTS]; /* an event of that buffer was read */
};

/*
 * Opens `kernel`, and the log `path`, or the usual one if that is NULL. Without a kernel side there may still be a log, and `path` may
 * be another machine's: history->kernel is NULL then, and history->without says why. Without the privilege to open the kernel side, only
 * `path` is read, if it is given. `filter` and `kernel` must stay. Prints what is wrong, as that there is neither; close it in any case.
 */
enum status history_open(struct history *history, const struct filter *filter, struct kernel *kernel, const char *path);

/* Goes on behind `from`, where an earlier walk ended. If that place is gone, warns and begins with the oldest event. */
enum status history_continue(struct history *history, const struct log_source *from);

/*
 * Calls `each` for the events of the log that are wanted: those from after `since`, in ns since boot, and maybe some before,
 * unless history_continue() said where to begin. Returns 0, -errno, or what `each` returned.
 */
int history_walk_log(struct history *history, int64_t since, history_function each, void *context);

/* Does the same from the next line of the log up to a place in it (log_is_at()). */
int history_walk_until(struct history *history, size_t file, off_t offset, history_function each, void *context);

/*
 * Calls `each` for the events that have come to the kernel since the last call, at most READER_BATCH of them. *more: others were there
 * and are left. Returns 0, -errno, or what `each` returned.
 */
int history_walk_live(struct history *history, history_function each, void *context, bool *more);

/* Closes and frees. */
void history_close(struct history *history);

#endif
