/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies the events from the kernel's buffers to the lasting log: each event once, and how many were missed.
 */
#ifndef SOCKACCEPT_LOG_KEEP_H
#define SOCKACCEPT_LOG_KEEP_H

#include "enforce/records/log_write.h"
#include "enforce/records/reader.h"
#include "enforce/records/spinning.h"

struct log_keeper {
	struct log_writer writer;    /* the caller opens and closes it */
	struct log_source end;       /* where the log ended when it was opened, or when reading it ended */
	const struct kernel *kernel; /* whose events are read; NULL: none */
	struct log_source source;    /* of the events that are read next */
	struct reader reader;
	struct record_maker maker;
	uint64_t said[VERDICTS]; /* how many of the missed events are in the log as such */
	uint64_t events;         /* written, of all kernel sides */
	struct spinning spinning;
	int64_t spinner_at; /* when it last warned of a server that spins, ns since boot */
};

/*
 * Opens `kernel`, which must stay, and begins where the log ends; with the oldest event if the log's last events are of another kernel
 * side. Prints what is wrong, but nothing for STATUS_NOT_LOADED.
 */
enum status log_keep_begin(struct log_keeper *keeper, struct kernel *kernel);

/* Does the same with a kernel that is open already. `instance` is its kernel_instance(). */
enum status log_keep_begin_with(struct log_keeper *keeper, const struct kernel *kernel, uint64_t instance);

/*
 * Writes the events that are there, at most some ten thousand. If the log can't be written, tries again at the next call; events that
 * aren't read yet stay in the kernel. Returns the number of events, or -errno if they can't be read.
 */
int64_t log_keep(struct log_keeper *keeper);

/* Returns true if all events that were there at the last look are in the log. */
bool log_is_kept(const struct log_keeper *keeper);

/*
 * Finds the place up to which events were read, if all of them are in the file. Returns false and leaves *place as it is if some
 * aren't, or if no kernel is read.
 */
bool log_keep_place(const struct log_keeper *keeper, struct log_source *place);

/* Goes back to `place`; to the oldest event if that is of another kernel side. Prints what is wrong. */
enum status log_keep_again(struct log_keeper *keeper, const struct log_source *place);

/* Ends what log_keep_begin() began. Does nothing if it didn't. */
void log_keep_end(struct log_keeper *keeper);

#endif
