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

/* A point between two events, from which reading can go on. Zero-initialised: before the first event. */
struct reader_mark {
	uint64_t seq;             /* of the first event behind it */
	uint64_t dealt[VERDICTS]; /* events of each buffer before it, read or missed */
	uint64_t lost[VERDICTS];  /* what was never written, until then */
};

struct reader_buffer {
	const struct event *slots; /* NULL: this verdict isn't read */
	uint64_t next;             /* the ticket to read next */
	uint64_t got;              /* events read that are behind the mark */
	uint64_t made, lost;       /* as they were before the last look */
	uint64_t overwritten;      /* behind the mark, before they were read */
};

struct reader {
	const struct state *state;
	const struct event *memory; /* mapped: both buffers */
	uint32_t slots;             /* of each buffer */
	struct reader_mark from;
	struct reader_buffer buffer[VERDICTS];
	struct event *events; /* read, in the order of their numbers */
	size_t count, room;
	uint64_t next_seq;    /* of the first event that wasn't there yet at the last look */
	size_t ready;         /* of them, those that no event with a lower number can follow any more */
};

/*
 * Starts to read at `from`, or at the oldest event that is there. `verdicts`: 1 << v for each verdict v that is wanted.
 * `kernel` must stay open. Returns 0 or -errno.
 */
int reader_start(struct reader *reader, const struct kernel *kernel, unsigned verdicts, const struct reader_mark *from);

/*
 * Reads what has come. Afterwards events[0 .. ready) are the next events in the order of their numbers, and
 * reader_missed() is exact for all up to the last of them. Waits for events that are being written just now.
 * Returns 0 or -errno.
 */
int reader_collect(struct reader *reader);

/* How many events behind the mark were overwritten before they were read, or never written. */
uint64_t reader_missed(const struct reader *reader);

/* Drops the first `count` of the `ready` events. */
void reader_advance(struct reader *reader, size_t count);

/* Where the first event that wasn't dropped stands, or the next one will. */
struct reader_mark reader_mark(const struct reader *reader);

/* Unmaps and frees. */
void reader_close(struct reader *reader);

#endif
