/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file itself is the state: the next writer goes on where it ends. A line that isn't whole counts as not written, and is
 * cut off before the next one comes.
 */
#include "enforce/records/log_write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enforce/records/log_rotate.h"
#include "enforce/records/log_seek.h"
#include "policy/cleanup.h"

/* A source stands in the log at least so often. */
#define SOURCE_BYTES 1048576
/* The clock was set if it differs by more from what the last source says; smaller steps are how clocks are kept right. */
#define CLOCK_SET_NS 1000000000LL

/* ---------------------------------------------------------------------------------------------
 * Opening
 */

static int find_end(const struct log_writer *writer, struct log_source *end)
{
	struct log_reader reader;
	int error = log_open(&reader, writer->target.path);

	if (!error)
		error = log_end(&reader, end);
	log_close(&reader);
	return error;
}

/* Cuts off a line that isn't whole, and finds where the log ends. Returns 0 or -errno. */
static int begin_file(struct log_writer *writer, struct log_source *end)
{
	int error = log_target_cut_off_rest(&writer->target);

	writer->reopen = true;
	return error ? error : find_end(writer, end);
}

/* Keeps what is printed to the stream. open_memstream() would do, but takes twice as long. */
static ssize_t add_pending(void *cookie, const char *text, size_t length)
{
	struct log_writer *writer = cookie;

	if (writer->pending_room - writer->pending_bytes < length) {
		writer->pending_room = 2 * writer->pending_room + length;
		writer->pending = must(realloc(writer->pending, writer->pending_room));
	}
	memcpy(writer->pending + writer->pending_bytes, text, length);
	writer->pending_bytes += length;
	return (ssize_t)length;
}

enum status log_writer_open(struct log_writer *writer, const char *path, struct log_source *end)
{
	enum status status;
	int error;

	writer->stream = must(fopencookie(writer, "w", (cookie_io_functions_t){ .write = add_pending }));
	output_start(&writer->output, writer->stream, true);
	event_start(&writer->printer, &writer->output, true);
	status = log_target_open(&writer->target, path);
	if (status != STATUS_DONE)
		return status;
	error = begin_file(writer, end);
	return error ? log_target_cannot_open(&writer->target, error) : STATUS_DONE;
}

void log_writer_close(struct log_writer *writer)
{
	if (writer->stream)
		fclose(writer->stream);
	free(writer->pending);
	log_target_close(&writer->target);
	*writer = (struct log_writer)LOG_WRITER_INIT;
}

/* ---------------------------------------------------------------------------------------------
 * Adding
 */

void log_add_event(struct log_writer *writer, const struct record *record)
{
	event_print(&writer->printer, record);
}

static bool is_needed(const struct log_writer *writer, const struct log_source *source)
{
	const struct log_source *last = &writer->source;
	int64_t set = (source->real - source->boot) - (last->real - last->boot);

	return writer->reopen || !log_same_source(last, source) || writer->target.size - writer->source_at >= SOURCE_BYTES ||
	       set > CLOCK_SET_NS || set < -CLOCK_SET_NS;
}

void log_begin_batch(struct log_writer *writer, const struct log_source *source)
{
	struct stat st;

	writer->batch = *source;
	if (fstat(writer->target.fd, &st) || st.st_size >= writer->target.size)
		return;
	writer->target.size = st.st_size;
	writer->reopen = true;
}

void log_add_source(struct log_writer *writer, const struct log_source *source, const uint64_t missed[VERDICTS])
{
	if (!missed[VERDICT_ALLOW] && !missed[VERDICT_DENY] && !is_needed(writer, source))
		return;
	log_line_print_source(&writer->output, source, missed);
	writer->source = *source;
	writer->source_at = writer->target.size;
	writer->reopen = false;
}

/* ---------------------------------------------------------------------------------------------
 * Writing
 */

/* Goes on in the file that has the log's name now. Returns 0 or -errno. */
static int open_file(struct log_writer *writer)
{
	int error = log_target_open_file(&writer->target);

	if (!error)
		writer->reopen = true;
	return error;
}

static int rotate(struct log_writer *writer)
{
	int error = 0;

	if (writer->rotate_keep)
		error = log_rotate(writer->target.directory, log_target_name(&writer->target), writer->rotate_keep);
	else if (ftruncate(writer->target.fd, 0))
		error = -errno;
	return error ? error : open_file(writer);
}

/* A full file that can't be rotated grows on: warns once, and tries again with each megabyte. */
static void rotate_if_full(struct log_writer *writer)
{
	int error;

	if (writer->target.size < writer->rotate_bytes || writer->target.size < writer->rotate_again)
		return;
	error = rotate(writer);
	if (error && !writer->rotate_again)
		warn("can't rotate %s: %s; it grows on", writer->target.path, strerror(-error));
	writer->rotate_again = error ? writer->target.size + SOURCE_BYTES : 0;
}

static void say_failed(struct log_writer *writer, int error)
{
	if (!writer->error) {
		writer->failed_at = when_now().boot;
		warn("can't write %s: %s; trying on, and nothing is lost that the kernel still holds", writer->target.path,
		     strerror(-error));
	}
	writer->error = error;
}

static void say_recovered(struct log_writer *writer)
{
	if (writer->error)
		warn("%s can be written again, after %" PRId64 " s", writer->target.path,
		     (int64_t)((when_now().boot - writer->failed_at) / 1000000000LL));
	writer->error = 0;
}

/* Returns how many of the bytes that are written are whole lines. */
static size_t whole_lines(const struct log_writer *writer)
{
	size_t whole = writer->written;

	while (whole > 0 && writer->pending[whole - 1] != '\n')
		whole--;
	return whole;
}

/* Removes the last line from the file if it isn't whole: nobody should read half a line. */
static void cut_off(struct log_writer *writer)
{
	size_t whole = whole_lines(writer);
	struct stat st;

	if (whole == writer->written || fstat(writer->target.fd, &st) || st.st_size < (off_t)(writer->written - whole) ||
	    ftruncate(writer->target.fd, st.st_size - (off_t)(writer->written - whole)))
		return;
	writer->target.size = st.st_size - (off_t)(writer->written - whole);
	writer->written = whole;
}

static int write_pending(struct log_writer *writer)
{
	while (writer->written < writer->pending_bytes) {
		ssize_t length = write(writer->target.fd, writer->pending + writer->written, writer->pending_bytes - writer->written);

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return -errno;
		writer->written += (size_t)length;
		writer->target.size += length;
		writer->bytes += (uint64_t)length;
	}
	return 0;
}

static void drop_pending(struct log_writer *writer)
{
	writer->pending_bytes = 0;
	writer->written = 0;
}

bool log_flush(struct log_writer *writer)
{
	int error;

	fflush(writer->stream);
	error = write_pending(writer);
	if (error) {
		cut_off(writer);
		say_failed(writer, error);
		return false;
	}
	drop_pending(writer);
	rotate_if_full(writer);
	say_recovered(writer);
	return true;
}

/* Returns what stands before the pending line that is written next: the source of the batch, moved behind the lines since. */
static struct log_source source_here(const struct log_writer *writer)
{
	struct log_source source = writer->batch;
	const char *line = writer->pending, *end = line + whole_lines(writer);

	while (line < end) {
		size_t length = (size_t)((const char *)memchr(line, '\n', (size_t)(end - line)) - line);
		struct log_line read;

		log_line_read(&read, line, length);
		log_line_count(&read, &source);
		log_line_clear(&read);
		line += length + 1;
	}
	return source;
}

/* Pending lines that go to another file than those before them need a source of their own there. */
static void carry_over(struct log_writer *writer)
{
	static const uint64_t none[VERDICTS];
	size_t whole = whole_lines(writer), left = writer->pending_bytes - whole;
	_cleanup_free_ char *lines = left ? must(malloc(left)) : NULL;
	struct log_source source;

	if (!left)
		return;
	source = source_here(writer);
	memcpy(lines, writer->pending + whole, left);
	drop_pending(writer);
	/* Keep a source that stands there already: it may count what was missed before it. */
	if (!log_line_is_source(lines, left))
		log_line_print_source(&writer->output, &source, none);
	fwrite(lines, 1, left, writer->stream);
	fflush(writer->stream);
	writer->batch = source;
	writer->source = source;
	writer->source_at = writer->target.size;
	writer->reopen = false;
}

bool log_reopen(struct log_writer *writer)
{
	int error;

	fflush(writer->stream);
	/* Try once more: the old file is the better place. */
	if (write_pending(writer))
		cut_off(writer);
	else
		drop_pending(writer);
	error = open_file(writer);
	if (error) {
		warn("can't open %s anew: %s; going on in the old file", writer->target.path, strerror(-error));
		return false;
	}
	carry_over(writer);
	return true;
}

/* ---------------------------------------------------------------------------------------------
 * A name that leads elsewhere
 */

/* Writes what is pending to the old file, where somebody can find it; to none if that is removed. */
static void leave_file(struct log_writer *writer, bool removed)
{
	fflush(writer->stream);
	if (removed || !write_pending(writer))
		drop_pending(writer);
	else
		cut_off(writer);
}

enum status log_begin_anew(struct log_writer *writer, struct log_source *end, bool *removed)
{
	struct stat old = { 0 };
	enum status status;
	int error;

	*removed = !fstat(writer->target.fd, &old) && !old.st_nlink;
	if (!*removed)
		leave_file(writer, false);
	status = log_target_open_anew(&writer->target);
	if (status != STATUS_DONE)
		return status;
	error = begin_file(writer, end);
	if (error) {
		warn("%s: can't tell where it ends: %s", writer->target.path, strerror(-error));
		*end = (struct log_source){ 0 };
	}
	if (*removed)
		leave_file(writer, true);
	else
		carry_over(writer);
	return STATUS_DONE;
}
