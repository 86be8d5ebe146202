/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the event buffers (bpf/shared/event.h has the protocol).
 *
 * Order: a writer takes its ticket before its number. The reader reads `next_seq` first and `tickets` second. So every event with a number
 * below `next_seq` has a ticket below `tickets`, and when all those tickets are dealt with, no lower number can come any more. Events with
 * higher numbers are held back until the next look.
 *
 * A look only finds where the events are, with their numbers; they are copied a batch at a time as they are wanted. So a reader needs
 * little memory however many events there are, and misses only what is overwritten faster than it reads.
 *
 * Missed events: `made`, read before `tickets`, counts events whose tickets are all below it. Those of them that a look didn't find were
 * overwritten. So were those that it found and that are gone when their turn comes.
 */
#include "enforce/records/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "enforce/kernel/windows.h"

_Static_assert(VERDICTS == 2, "one bit of reader_place.ticket");

/* How long it waits for a writer that was preempted in the middle. */
#define WAIT_NS 1000000000L
#define WAIT_STEP_NS 200000L

/* Slots that are mapped at a time: whole pages, and so few that the mapping hardly adds to the memory of this process. */
#define WINDOW_SLOTS 1024U

static uint32_t window_slots(const struct reader *reader)
{
	return reader->slots < WINDOW_SLOTS ? reader->slots : WINDOW_SLOTS;
}

static void unmap_window(const struct reader *reader, struct reader_buffer *buffer)
{
	if (buffer->window)
		munmap((void *)(uintptr_t)buffer->window, window_slots(reader) * sizeof(struct event));
	buffer->window = NULL;
}

/* Finds the slot of `ticket`, and maps its window if need be. Returns 0 or -errno. */
static int find_slot(struct reader *reader, unsigned verdict, uint64_t ticket, const struct event **slot)
{
	struct reader_buffer *buffer = &reader->buffer[verdict];
	uint32_t place = (uint32_t)(ticket & (reader->slots - 1)), slots = window_slots(reader), first = place & ~(slots - 1);

	if (!buffer->window || buffer->window_first != first) {
		off_t at = (off_t)(((uint64_t)verdict * reader->slots + first) * sizeof(struct event));
		void *memory;

		unmap_window(reader, buffer);
		memory = mmap(NULL, slots * sizeof(struct event), PROT_READ, MAP_SHARED, reader->map, at);
		if (memory == MAP_FAILED)
			return -errno;
		buffer->window = memory;
		buffer->window_first = first;
	}
	*slot = &buffer->window[place - first];
	return 0;
}

static uint64_t load(const __u64 *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

int reader_start(struct reader *reader, const struct kernel *kernel, unsigned verdicts, const struct reader_mark *from, bool current)
{
	*reader = (struct reader){ .state = kernel->state,
				   .kernel = kernel,
				   .age = current ? WINDOWS_CURRENT : 0,
				   .map = kernel->fd[MAP_EVENTS],
				   .slots = kernel_events(kernel),
				   .from = *from };
	if (from->seq > load(&kernel->state->next_seq))
		reader->from = (struct reader_mark){ 0 };
	if (!reader->slots)
		return -errno;
	reader->events = malloc(READER_BATCH * sizeof(*reader->events));
	if (!reader->events)
		return -ENOMEM;
	for (unsigned verdict = 0; verdict < VERDICTS; verdict++)
		reader->buffer[verdict].wanted = verdicts & VERDICT_BIT(verdict);
	return 0;
}

void reader_close(struct reader *reader)
{
	for (unsigned verdict = 0; verdict < VERDICTS; verdict++)
		unmap_window(reader, &reader->buffer[verdict]);
	free(reader->events);
	free(reader->places);
	*reader = (struct reader){ 0 };
}

enum outcome {
	OUTCOME_READ,
	OUTCOME_GONE,    /* overwritten, or the ticket found its slot in use */
	OUTCOME_PENDING, /* not written yet */
};

static enum outcome try_find(const struct event *slot, uint64_t ticket, struct reader_place *place)
{
	uint64_t before = load(&slot->state);

	if (before == EVENT_READY(ticket)) {
		place->seq = slot->seq;
		place->number = slot->number;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		return load(&slot->state) == before ? OUTCOME_READ : OUTCOME_GONE;
	}
	if (before > EVENT_WRITING(ticket) || load(&slot->skipped) > ticket)
		return OUTCOME_GONE;
	return OUTCOME_PENDING;
}

static enum outcome wait_and_find(const struct event *slot, uint64_t ticket, struct reader_place *place)
{
	const struct timespec step = { .tv_nsec = WAIT_STEP_NS };
	enum outcome outcome = try_find(slot, ticket, place);

	for (long waited = 0; outcome == OUTCOME_PENDING && waited < WAIT_NS; waited += WAIT_STEP_NS) {
		nanosleep(&step, NULL);
		outcome = try_find(slot, ticket, place);
	}
	return outcome;
}

static int keep(struct reader *reader, const struct reader_place *place)
{
	if (reader->place_count == reader->place_room) {
		size_t room = reader->place_room ? 2 * reader->place_room : 256;
		struct reader_place *places = reallocarray(reader->places, room, sizeof(*places));

		if (!places)
			return -ENOMEM;
		reader->places = places;
		reader->place_room = room;
	}
	reader->places[reader->place_count++] = *place;
	return 0;
}

/* Returns how many events were found that aren't in `made` yet: the next look counts them there. */
static uint64_t count_later(const struct reader *reader, unsigned verdict)
{
	uint64_t later = 0;

	for (size_t i = reader->place_first; i < reader->place_count; i++)
		later += (reader->places[i].ticket & 1) == verdict && reader->places[i].number >= reader->buffer[verdict].made;
	return later;
}

/* Finds the new events of one buffer, up to its newest ticket. Returns 0 or -errno. */
static int look_at_buffer(struct reader *reader, unsigned verdict)
{
	const struct buffer_state *state = &reader->state->buffer[verdict];
	struct reader_buffer *buffer = &reader->buffer[verdict];
	uint64_t tickets;

	buffer->made = load(&state->made);
	buffer->lost = load(&state->lost);
	tickets = load(&state->tickets);
	if (tickets - buffer->next > reader->slots)
		buffer->next = tickets - reader->slots;
	for (; buffer->next < tickets; buffer->next++) {
		struct reader_place place = { .ticket = buffer->next << 1 | verdict };
		const struct event *slot = NULL;
		int error = find_slot(reader, verdict, buffer->next, &slot);

		if (slot && wait_and_find(slot, buffer->next, &place) == OUTCOME_READ && place.seq >= reader->from.seq) {
			error = keep(reader, &place);
			buffer->found++;
		}
		if (error)
			return error;
	}
	return 0;
}

/* An event before the mark that came so late that it was given up is found behind the mark: the result must not fall below 0. */
static void count_overwritten(struct reader *reader, unsigned verdict)
{
	struct reader_buffer *buffer = &reader->buffer[verdict];

	buffer->overwritten = buffer->made - reader->from.dealt[verdict] - (buffer->found - count_later(reader, verdict));
	if ((int64_t)buffer->overwritten < 0)
		buffer->overwritten = 0;
}

static int compare_places(const void *a, const void *b)
{
	uint64_t first = ((const struct reader_place *)a)->seq, second = ((const struct reader_place *)b)->seq;

	return (first > second) - (first < second);
}

/* Finds the events that have come since the last look. Returns 0 or -errno. */
static int look(struct reader *reader)
{
	int closed = windows_close(reader->kernel, reader->age);
	uint64_t next_seq = load(&reader->state->next_seq);

	if (closed)
		return closed;
	reader->age = 0;
	reader->place_count -= reader->place_first;
	if (reader->place_count)
		memmove(reader->places, reader->places + reader->place_first, reader->place_count * sizeof(*reader->places));
	reader->place_first = 0;
	for (unsigned verdict = 0; verdict < VERDICTS; verdict++) {
		int error = reader->buffer[verdict].wanted ? look_at_buffer(reader, verdict) : 0;

		if (error)
			return error;
	}
	if (reader->place_count)
		qsort(reader->places, reader->place_count, sizeof(*reader->places), compare_places);
	for (unsigned verdict = 0; verdict < VERDICTS; verdict++)
		if (reader->buffer[verdict].wanted)
			count_overwritten(reader, verdict);
	reader->next_seq = next_seq;
	reader->looks++;
	return 0;
}

/* Returns the next event, if no event with a lower number can come any more; else NULL. */
static const struct reader_place *next_place(const struct reader *reader)
{
	const struct reader_place *place = &reader->places[reader->place_first];

	return reader->place_first < reader->place_count && place->seq < reader->next_seq ? place : NULL;
}

bool reader_is_through(const struct reader *reader)
{
	return !next_place(reader);
}

/* Copies an event, unless it is overwritten meanwhile. Returns 0 or -errno. */
static int copy(struct reader *reader, const struct reader_place *place)
{
	unsigned verdict = place->ticket & 1;
	uint64_t ticket = place->ticket >> 1;
	const struct event *slot = NULL;
	int error = find_slot(reader, verdict, ticket, &slot);

	if (!slot)
		return error;
	reader->place_first++;
	reader->events[reader->ready] = *slot;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (load(&slot->state) == EVENT_READY(ticket)) {
		reader->ready++;
	} else {
		reader->buffer[verdict].found--;
		reader->buffer[verdict].overwritten++;
	}
	return 0;
}

int reader_collect(struct reader *reader)
{
	const struct reader_place *place;
	int error = 0;

	if (reader->ready)
		return 0;
	if (!next_place(reader))
		error = look(reader);
	while (!error && reader->ready < READER_BATCH && (place = next_place(reader)))
		error = copy(reader, place);
	return error;
}

uint64_t reader_missed(const struct reader *reader, unsigned verdict)
{
	const struct reader_buffer *buffer = &reader->buffer[verdict];

	return buffer->wanted ? buffer->overwritten + buffer->lost - reader->from.lost[verdict] : 0;
}

void reader_advance(struct reader *reader, size_t count)
{
	reader->ready -= count;
	memmove(reader->events, reader->events + count, reader->ready * sizeof(*reader->events));
}

struct reader_mark reader_mark(const struct reader *reader)
{
	const struct reader_place *place = next_place(reader);
	struct reader_mark mark = { .seq = reader->ready ? reader->events[0].seq : place ? place->seq : reader->next_seq };

	for (unsigned verdict = 0; verdict < VERDICTS; verdict++) {
		mark.dealt[verdict] = reader->buffer[verdict].made;
		mark.lost[verdict] = reader->buffer[verdict].lost;
	}
	for (size_t i = 0; i < reader->ready; i++)
		if (reader->events[i].number < reader->buffer[reader->events[i].verdict & 1].made)
			mark.dealt[reader->events[i].verdict & 1]--;
	for (size_t i = reader->place_first; i < reader->place_count; i++)
		if (reader->places[i].number < reader->buffer[reader->places[i].ticket & 1].made)
			mark.dealt[reader->places[i].ticket & 1]--;
	return mark;
}
