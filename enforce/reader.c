/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the event buffers (the protocol stands in bpf/sockaccept.h).
 *
 * Order: a writer takes its ticket before its number. So every event with a number below `next_seq`, read
 * first, has a ticket below `tickets`, read second: when all those tickets are dealt with, no lower number can
 * come any more. Events with higher numbers are held back until the next time.
 *
 * What was missed: `made`, read before `tickets`, counts events whose tickets are all below it. Those of them
 * that weren't found were overwritten.
 */
#include "enforce/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* How long a writer that was preempted in the middle is waited for. */
#define WAIT_NS 1000000000L
#define WAIT_STEP_NS 200000L

static size_t map_bytes(const struct reader *reader)
{
	return (size_t)VERDICTS * reader->slots * sizeof(struct event);
}

int reader_start(struct reader *reader, const struct kernel *kernel, unsigned verdicts, const struct reader_mark *from)
{
	void *memory;

	*reader = (struct reader){ .state = kernel->state, .slots = kernel_events(kernel), .from = *from };
	if (!reader->slots)
		return -errno;
	memory = mmap(NULL, map_bytes(reader), PROT_READ, MAP_SHARED, kernel->fd[MAP_EVENTS], 0);
	if (memory == MAP_FAILED)
		return -errno;
	reader->memory = memory;
	for (unsigned verdict = 0; verdict < VERDICTS; verdict++)
		if (verdicts & 1U << verdict)
			reader->buffer[verdict].slots = reader->memory + (size_t)verdict * reader->slots;
	return 0;
}

void reader_close(struct reader *reader)
{
	if (reader->memory)
		munmap((void *)(uintptr_t)reader->memory, map_bytes(reader));
	free(reader->events);
	*reader = (struct reader){ 0 };
}

static uint64_t load(const __u64 *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

enum outcome {
	OUTCOME_READ,
	OUTCOME_GONE,    /* overwritten, or the ticket found its slot in use */
	OUTCOME_PENDING, /* not written yet */
};

static enum outcome try_read(const struct event *slot, uint64_t ticket, struct event *copy)
{
	uint64_t before = load(&slot->state);

	if (before == EVENT_READY(ticket)) {
		*copy = *slot;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		return load(&slot->state) == before ? OUTCOME_READ : OUTCOME_GONE;
	}
	if (before > EVENT_WRITING(ticket) || load(&slot->skipped) > ticket)
		return OUTCOME_GONE;
	return OUTCOME_PENDING;
}

static enum outcome wait_and_read(const struct event *slot, uint64_t ticket, struct event *copy)
{
	const struct timespec step = { .tv_nsec = WAIT_STEP_NS };
	enum outcome outcome = try_read(slot, ticket, copy);

	for (long waited = 0; outcome == OUTCOME_PENDING && waited < WAIT_NS; waited += WAIT_STEP_NS) {
		nanosleep(&step, NULL);
		outcome = try_read(slot, ticket, copy);
	}
	return outcome;
}

static int keep(struct reader *reader, const struct event *event)
{
	if (reader->count == reader->room) {
		size_t room = reader->room ? 2 * reader->room : 256;
		struct event *events = reallocarray(reader->events, room, sizeof(*events));

		if (!events)
			return -ENOMEM;
		reader->events = events;
		reader->room = room;
	}
	reader->events[reader->count++] = *event;
	return 0;
}

/* Reads one buffer up to its newest ticket. */
static int collect_buffer(struct reader *reader, unsigned verdict)
{
	const struct buffer_state *state = &reader->state->buffer[verdict];
	struct reader_buffer *buffer = &reader->buffer[verdict];
	uint64_t tickets, later = 0;

	buffer->made = load(&state->made);
	buffer->lost = load(&state->lost);
	tickets = load(&state->tickets);
	if (tickets - buffer->next > reader->slots)
		buffer->next = tickets - reader->slots;
	for (; buffer->next < tickets; buffer->next++) {
		const struct event *slot = &buffer->slots[buffer->next & (reader->slots - 1)];
		struct event event;
		int error;

		if (wait_and_read(slot, buffer->next, &event) != OUTCOME_READ || event.seq < reader->from.seq)
			continue;
		error = keep(reader, &event);
		if (error)
			return error;
		buffer->got++;
		if (event.number >= buffer->made)
			later++;
	}
	/* One that came so late that it was given up, before the mark, is got behind it: there is nothing less than none. */
	buffer->overwritten = buffer->made - reader->from.dealt[verdict] - (buffer->got - later);
	if ((int64_t)buffer->overwritten < 0)
		buffer->overwritten = 0;
	return 0;
}

uint64_t reader_missed(const struct reader *reader)
{
	uint64_t missed = 0;

	for (unsigned verdict = 0; verdict < VERDICTS; verdict++)
		if (reader->buffer[verdict].slots)
			missed += reader->buffer[verdict].overwritten + reader->buffer[verdict].lost -
				  reader->from.lost[verdict];
	return missed;
}

static int compare_events(const void *a, const void *b)
{
	uint64_t first = ((const struct event *)a)->seq, second = ((const struct event *)b)->seq;

	return (first > second) - (first < second);
}

int reader_collect(struct reader *reader)
{
	uint64_t next_seq = load(&reader->state->next_seq);

	for (unsigned verdict = 0; verdict < VERDICTS; verdict++) {
		int error = reader->buffer[verdict].slots ? collect_buffer(reader, verdict) : 0;

		if (error)
			return error;
	}
	if (reader->count)
		qsort(reader->events, reader->count, sizeof(*reader->events), compare_events);
	for (reader->ready = 0; reader->ready < reader->count; reader->ready++)
		if (reader->events[reader->ready].seq >= next_seq)
			break;
	reader->next_seq = next_seq;
	return 0;
}

void reader_advance(struct reader *reader, size_t count)
{
	reader->count -= count;
	reader->ready -= count;
	memmove(reader->events, reader->events + count, reader->count * sizeof(*reader->events));
}

struct reader_mark reader_mark(const struct reader *reader)
{
	struct reader_mark mark = { .seq = reader->next_seq };

	for (unsigned verdict = 0; verdict < VERDICTS; verdict++) {
		mark.dealt[verdict] = reader->buffer[verdict].made;
		mark.lost[verdict] = reader->buffer[verdict].lost;
	}
	if (reader->count && reader->events[0].seq < mark.seq)
		mark.seq = reader->events[0].seq;
	for (size_t i = 0; i < reader->count; i++) {
		const struct event *event = &reader->events[i];

		if (event->number < reader->buffer[event->verdict & (VERDICTS - 1)].made)
			mark.dealt[event->verdict & (VERDICTS - 1)]--;
	}
	return mark;
}
