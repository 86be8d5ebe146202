/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading events. Consumes nothing: any number of readers see the same.
 */
#ifndef SOCKACCEPT_READER_H
#define SOCKACCEPT_READER_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/shared/sockaccept.h"
#include "enforce/kernel/kernel.h"

/* One of a set of verdicts. */
#define VERDICT_BIT(verdict) (1U << (verdict))

/* A point between two events, from which reading can go on. Zero-initialised: before the first event. */
struct reader_mark {
	uint64_t seq;             /* of the first event behind it */
	uint64_t dealt[VERDICTS]; /* events of each buffer before it, read or missed */
	uint64_t lost[VERDICTS];  /* what was never written, until then */
};

/* One of the two buffers. Only a window of it is mapped at a time, whatever its size. */
struct reader_buffer {
	bool wanted;
	const struct event *window; /* NULL: none is mapped */
	uint32_t window_first;      /* the slot that it begins with */
	uint64_t next;              /* the ticket to look at next */
	uint64_t found;             /* events behind the mark that were there to be read, and are not gone since */
	uint64_t made, lost;        /* as they were before the last look */
	uint64_t overwritten;       /* behind the mark, before they were read */
};

/* Where an event is: looked for first, and copied when its turn comes. */
struct reader_place {
	uint64_t seq;
	uint64_t number;
	uint64_t ticket; /* with the verdict in the lowest bit */
};

/* How many events are copied at a time. */
#define READER_BATCH 512

struct reader {
	const struct state *state;
	const struct kernel *kernel;
	uint64_t age; /* the next look also ends windows of repeats that are this old: ns; 0: only those that are over */
	int map;
	uint32_t slots; /* of each buffer */
	struct reader_mark from;
	struct reader_buffer buffer[VERDICTS];
	struct reader_place *places; /* found and not copied yet, in the order of their numbers */
	size_t place_count, place_room;
	size_t place_first;   /* those before it are dealt with */
	uint64_t looks;       /* how often it looked for new ones */
	uint64_t next_seq;    /* of the first event that wasn't there yet at the last look */
	struct event *events; /* copied, in the order of their numbers; no lower number can follow any more */
	size_t ready;         /* how many of them there are */
};

/*
 * Starts to read at `from`, or at the oldest event that is there, as it does if `from` is a place that this kernel side has
 * never come to. `verdicts`: VERDICT_BIT() of each that is wanted. `current`: windows of repeats which are at least a second old
 * are ended at the first look, so that what is read is current.
 * `kernel` must stay open. Returns 0 or -errno.
 */
int reader_start(struct reader *reader, const struct kernel *kernel, unsigned verdicts, const struct reader_mark *from,
		 bool current);

/*
 * Reads what has come, at most READER_BATCH at a time. Afterwards events[0 .. ready) are the next events in the order of
 * their numbers, and reader_missed() is exact for all up to the last of them. Waits for events that are being written
 * just now. With `ready` 0, all that was there when it was called is read. Does nothing while some are left from before.
 * Returns 0 or -errno.
 */
int reader_collect(struct reader *reader);

/* How many events of one verdict behind the mark were overwritten before they were read, or never written. */
uint64_t reader_missed(const struct reader *reader, unsigned verdict);

/* True if none is left of what was there at the last look but what is `ready`. */
bool reader_is_through(const struct reader *reader);

/* Drops the first `count` of the `ready` events. */
void reader_advance(struct reader *reader, size_t count);

/* Where the first event that wasn't dropped stands, or the next one will. */
struct reader_mark reader_mark(const struct reader *reader);

/* Unmaps and frees. */
void reader_close(struct reader *reader);

#endif
