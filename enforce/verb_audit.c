/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * audit: the events, oldest first.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "enforce/event.h"
#include "enforce/kernel.h"
#include "enforce/reader.h"
#include "enforce/verb.h"

/* How often --follow looks for new events. */
#define POLL_NS 50000000L

/* What was overwritten before it could be read is said where it would have stood: before what is left. */
static int print_missed(struct output *output, uint64_t missed)
{
	if (!output->json) {
		fflush(stdout);
		warn("missed %" PRIu64 " events: they were overwritten before they could be read", missed);
		return 0;
	}
	output_open_object(output, NULL);
	output_number(output, "schema", NULL, 1);
	output_number(output, "missed", NULL, missed);
	output_close(output);
	return output_end(output);
}

static int print_ready(struct output *output, const struct kernel *kernel, struct reader *reader, uint64_t *said)
{
	int error = 0;

	if (reader->missed > *said) {
		error = print_missed(output, reader->missed - *said);
		*said = reader->missed;
	}
	for (size_t i = 0; i < reader->ready && !error; i++)
		error = event_print(output, kernel, &reader->events[i]);
	reader_advance(reader);
	return error;
}

static int print_events(struct output *output, const struct kernel *kernel, struct reader *reader, bool follow)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	const unsigned long long instance = kernel_instance();
	uint64_t said = 0;
	int error;

	for (;;) {
		/* Asked before the last look at the events, so that none of them is left. */
		bool unloaded = follow && kernel_instance() != instance;

		error = reader_collect(reader);
		if (!error)
			error = print_ready(output, kernel, reader, &said);
		if (error || !follow)
			return error;
		if (unloaded)
			return -ESTALE;
		nanosleep(&pause, NULL);
	}
}

enum status verb_audit(const struct invocation *invocation)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	enum status status = kernel_open(&kernel, false, false);
	struct output output;
	struct reader reader;
	int error;

	if (status != STATUS_DONE)
		return status;
	error = reader_start(&reader, &kernel, invocation->options & OPTION_ALL);
	if (error)
		return fail(STATUS_FAILED, "can't read the events: %s", strerror(-error));
	output_start(&output, stdout, invocation->options & OPTION_JSON);
	event_stream(&output);
	error = print_events(&output, &kernel, &reader, invocation->options & OPTION_FOLLOW);
	reader_close(&reader);
	if (error == -ESTALE)
		return fail(STATUS_NOT_LOADED, "unloaded meanwhile: no further events come; to follow a new load, run it again");
	if (error)
		return fail(STATUS_FAILED, "can't print the events: %s", strerror(-error));
	return STATUS_DONE;
}
