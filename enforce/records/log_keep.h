/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the kernel's buffers to the lasting log: each event once, and what was missed.
 */
#ifndef SOCKACCEPT_LOG_KEEP_H
#define SOCKACCEPT_LOG_KEEP_H

#include "enforce/records/log_write.h"
#include "enforce/records/reader.h"
#include "enforce/records/spinning.h"

struct log_keeper {
	struct log_writer writer; /* opened by the caller, who closes it too */
	struct log_source end;    /* where the log ended when it was opened, or when reading ended */
	const struct kernel *kernel; /* that is read; NULL: none */
	struct log_source source;
	struct reader reader;
	struct record_maker maker;
	uint64_t said[VERDICTS]; /* of what this reader missed, what was written */
	uint64_t events;         /* written, whatever kernel side they were of */
	struct spinning spinning;
	int64_t spinner_at;      /* when one was told of last, ns since boot */
};

/*
 * Opens `kernel`, and begins where the log ends, if that is of the kernel side that is loaded; else with the oldest event.
 * `kernel` must stay. Says what is wrong; STATUS_NOT_LOADED is silent.
 */
enum status log_keep_begin(struct log_keeper *keeper, struct kernel *kernel);

/* The same with a kernel that is open already, as `instance`. */
enum status log_keep_begin_with(struct log_keeper *keeper, const struct kernel *kernel, uint64_t instance);

/*
 * Writes what is there, or some thousand events of it. A log that can't be written is tried again at the next call; what
 * wasn't read stays in the kernel. Returns the number of events, or -errno if they can't be read.
 */
int64_t log_keep(struct log_keeper *keeper);

/* True if all that was there at the last look is in the log. */
bool log_is_kept(const struct log_keeper *keeper);

/*
 * Where reading stands, if all that was read is in the file and something is read at all. Returns false, and leaves *place as it
 * is, otherwise.
 */
bool log_keep_place(const struct log_keeper *keeper, struct log_source *place);

/* Goes back to `place`, or to the oldest event if that is of another kernel side. Says what is wrong. */
enum status log_keep_again(struct log_keeper *keeper, const struct log_source *place);

/* Ends what log_keep_begin() began, if it did. */
void log_keep_end(struct log_keeper *keeper);

#endif
