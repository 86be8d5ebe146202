/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lasting log and the live buffers as one: each event once, oldest first. What the log has comes from there; what comes
 * after its last line, from the kernel.
 */
#ifndef SOCKACCEPT_HISTORY_H
#define SOCKACCEPT_HISTORY_H

#include "enforce/records/filter.h"
#include "enforce/records/log_seek.h"
#include "enforce/records/reader.h"

/* What a walk through the events finds. */
struct history_item {
	const struct record *record; /* NULL: events were missed here */
	uint64_t missed;             /* so many, of the verdicts that are wanted */
	int64_t boot;                /* when that was noticed, ns since boot */
	const char *line;            /* as it stands in the log, without its newline; NULL: it is live */
	size_t length;
};

/* Called for each item; `context` is the caller's. Anything but 0 ends the walk. */
typedef int (*history_function)(void *context, const struct history_item *item);

/* Zero-initialised is closed. */
struct history {
	const struct filter *filter;
	const struct kernel *kernel; /* NULL: there is only the log */
	enum status without;         /* why; said already, unless it is STATUS_NOT_LOADED. STATUS_DONE: nobody asked for more */
	struct log_reader log;
	struct log_source end;  /* where the log ends */
	struct log_source live; /* what is read behind it */
	struct log_source at;   /* behind the last item: kept exactly once history_continue() was called */
	bool exact;
	struct reader reader;
	struct record_maker maker;
	uint64_t said[VERDICTS]; /* of the missed events, those that were given out */
	char **needles;          /* texts of which a line that is wanted has all */
	size_t needle_count;
	int64_t since;           /* from when on events are wanted, ns since boot */
	bool begun[VERDICTS];    /* an event of that buffer was read */
};

/*
 * Opens `kernel`, and the log `path`, or the usual one if that is NULL. Without a kernel side there may still be a log, and a
 * `path` that was given may be another machine's: history->kernel is NULL then, and history->without says why. Without the privilege to open the kernel side, a
 * `path` that was given is all that is read. `filter` and `kernel` must stay. Says what is wrong, as that there is neither; close it in any case.
 */
enum status history_open(struct history *history, const struct filter *filter, struct kernel *kernel, const char *path);

/* Goes on behind `from`, where an earlier walk ended, or at the beginning, and says so, if that isn't to be found any more. */
enum status history_continue(struct history *history, const struct log_source *from);

/*
 * Calls `each` for the events of the log that are wanted: those from after `since`, in ns since boot, and maybe some before,
 * unless history_continue() said where to begin. Returns 0, -errno, or what `each` returned.
 */
int history_walk_log(struct history *history, int64_t since, history_function each, void *context);

/* The same for the last `most` of them at most, and for nothing that was missed. */
int history_walk_tail(struct history *history, size_t most, history_function each, void *context);

/*
 * The same for those in the kernel that have come since the last call, READER_BATCH of them at most; *more: some are
 * left that were there.
 */
int history_walk_live(struct history *history, history_function each, void *context, bool *more);

/* Closes and frees. */
void history_close(struct history *history);

#endif
