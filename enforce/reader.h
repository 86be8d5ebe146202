/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading events. Consumes nothing: any number of readers see the same.
 */
#ifndef SOCKACCEPT_READER_H
#define SOCKACCEPT_READER_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/sockaccept.h"
#include "enforce/kernel.h"

struct reader_buffer {
	const struct event *slots; /* NULL: this verdict isn't read */
	uint64_t next;             /* the ticket to read next */
	uint64_t got;              /* events read */
};

struct reader {
	const struct state *state;
	const struct event *memory; /* mapped: both buffers */
	uint32_t slots; /* of each buffer */
	struct reader_buffer buffer[VERDICTS];
	struct event *events; /* read, in the order of their numbers */
	size_t count, room;
	size_t ready;         /* of them, those that no event with a lower number can follow any more */
	uint64_t missed;      /* overwritten before they were read, since the first event ever made */
};

/*
 * Starts to read at the oldest event that is there: denials, and accepted connections too if `accepted`.
 * `kernel` must stay open. Returns 0 or -errno.
 */
int reader_start(struct reader *reader, const struct kernel *kernel, bool accepted);

/*
 * Reads what has come. Afterwards events[0 .. ready) are the next events in the order of their numbers, and
 * `missed` is exact for all up to the last of them. Waits for events that are being written just now.
 * Returns 0 or -errno.
 */
int reader_collect(struct reader *reader);

/* Drops the `ready` events. */
void reader_advance(struct reader *reader);

/* Unmaps and frees. */
void reader_close(struct reader *reader);

#endif
