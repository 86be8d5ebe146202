/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads events from the kernel's buffers. Consumes nothing: any number of readers see the same events.
 */
#ifndef SOCKACCEPT_READER_H
#define SOCKACCEPT_READER_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/shared/sockaccept.h"
#include "enforce/kernel/kernel.h"

/* A verdict as a bit in a set of verdicts. */
#define VERDICT_BIT(verdict) (1U << (verdict))

/* A point between two events, from which reading can go on. Zero-initialised, it is before the first event. */
struct reader_mark {
	uint64_t seq;             /* of the first event behind it */
	uint64_t dealt[VERDICTS]; /* how many events of each buffer are before it, read or missed */
	uint64_t lost[VERDICTS];  /* how many events were never written, up to then */
};

/* One of the two buffers. Only a window of it is mapped at a time, whatever its size. */
struct reader_buffer {
	bool wanted;
	const struct event *window; /* NULL: none is mapped */
	uint32_t window_first;      /* the slot that it begins with */
	uint64_t next;              /* the ticket to look at next */
	uint64_t found;             /* how many events behind the mark were there to be read, and aren't overwritten since */
	uint64_t made, lost;        /* of the kernel's struct buffer_state, before the last look */
	uint64_t overwritten;       /* how many events behind the mark were overwritten before they were read */
};

/* Where an event is. It is found first, and copied when its turn comes. */
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
	uint64_t age; /* the next look ends windows of repeats that are as old as this, in ns; 0: only those that are over */
	int map;
	uint32_t slots; /* of each buffer */
	struct reader_mark from;
	struct reader_buffer buffer[VERDICTS];
	struct reader_place *places; /* of events that aren't copied yet, in the order of their numbers */
	size_t place_count, place_room;
	size_t place_first;   /* the first of them; those before it are dealt with */
	uint64_t looks;       /* how often it looked for new ones */
	uint64_t next_seq;    /* number of the first event that wasn't there yet at the last look */
	struct event *events; /* copies, in the order of their numbers; no lower number can follow any more */
	size_t ready;         /* how many copies there are */
};

/*
 * Starts to read at `from`. Starts at the oldest event if that is later, or if this kernel side has never come to `from`. `verdicts` has
 * VERDICT_BIT() of each verdict that is wanted. `current` makes the first look end windows of repeats that are at least a second old, so
 * that what is read is up to date. `kernel` must stay open. Returns 0 or -errno.
 */
int reader_start(struct reader *reader, const struct kernel *kernel, unsigned verdicts, const struct reader_mark *from, bool current);

/*
 * Reads new events, at most READER_BATCH at a time. Afterwards events[0 .. ready) are the next events in the order of their numbers, and
 * reader_missed() is exact up to the last of them. If `ready` is 0, all events that were there at the call have been read. Waits for events
 * that are being written. Does nothing while copies are left from before. Returns 0 or -errno.
 */
int reader_collect(struct reader *reader);

/* Returns how many events of one verdict behind the mark were overwritten before they were read, or never written. */
uint64_t reader_missed(const struct reader *reader, unsigned verdict);

/* Returns true if all events that were there at the last look are read, or copied and ready. */
bool reader_is_through(const struct reader *reader);

/* Drops the first `count` copies. */
void reader_advance(struct reader *reader, size_t count);

/* Returns the mark of the first event that wasn't dropped, or of the next one that will come. */
struct reader_mark reader_mark(const struct reader *reader);

/* Ends reading, and frees all. */
void reader_close(struct reader *reader);

#endif
