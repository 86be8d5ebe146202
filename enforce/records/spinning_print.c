/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the denials that the kernel still has, and prints who spins.
 */
#include "enforce/records/spinning_print.h"

#include <stdlib.h>

#include "enforce/base/when.h"
#include "enforce/kernel/family.h"
#include "enforce/records/event.h"
#include "enforce/records/reader.h"
#include "enforce/records/spinning.h"
#include "policy/cleanup.h"

/* The most that the last event of a server that still spins can be old, when windows have just been ended. */
#define MOMENT_NS 3000000000LL

static void print_spinner(struct output *output, const struct spinner *spinner, const struct record *record)
{
	const struct event *event = record->event;
	char text[SPINNER_TEXT_MAX];

	output_open_object(output, NULL);
	output_text(output, "binary", NULL, record->binary);
	if (!record->binary)
		output_text(output, "binary_hint", NULL, record->hint);
	if (event->differ & DIFFER_PID)
		output_null(output, "pid");
	else
		output_number(output, "pid", NULL, event->pid);
	output_number(output, "uid", NULL, event->uid);
	if (family_has_ports(event->family))
		output_number(output, "port", NULL, event->listener_port);
	else
		output_null(output, "port");
	output_text(output, "protocol", NULL, protocol_word(event->family, event->protocol));
	output_number(output, "denials_a_second", NULL, spinner_rate(spinner));
	output_close(output);
	output_coloured(output, NULL, "spins", spinner_text(spinner, record, text), COLOUR_BAD);
}

/* The servers, with the last event of each that spins. */
struct found {
	struct spinning spinning;
	struct event last[SPINNERS_MAX]; /* at the same place as in spinning.list */
};

static void find_spinners(struct reader *reader, struct found *found)
{
	while (!reader_collect(reader) && reader->ready) {
		for (size_t i = 0; i < reader->ready; i++) {
			const struct spinner *spinner = spinning_note(&found->spinning, &reader->events[i]);

			if (spinner)
				found->last[spinner - found->spinning.list] = reader->events[i];
		}
		reader_advance(reader, reader->ready);
	}
}

static void print_spinners(struct output *output, const struct kernel *kernel, const struct found *found)
{
	struct record_maker maker = { .names.kernel = kernel };
	int64_t now = when_now().boot;

	for (size_t i = 0; i < found->spinning.count; i++) {
		const struct spinner *spinner = &found->spinning.list[i];

		if (spinner->ns >= SPINNING_NS && now - spinner->last < MOMENT_NS) {
			const struct record record = record_make(&maker, &found->last[i]);

			print_spinner(output, spinner, &record);
		}
	}
	record_maker_clear(&maker);
}

void spinning_print(struct output *output, const struct kernel *kernel, uint64_t repeats)
{
	const struct reader_mark oldest = { 0 };
	_cleanup_free_ struct found *found = must(calloc(1, sizeof(*found)));
	struct reader reader;

	output_open_array(output, "spinning");
	/* With few repeats nobody spins: no event need be read. */
	if (repeats >= SPINNING_RATE && !reader_start(&reader, kernel, 1U << VERDICT_DENY, &oldest, false)) {
		find_spinners(&reader, found);
		print_spinners(output, kernel, found);
		reader_close(&reader);
	}
	output_close(output);
}
