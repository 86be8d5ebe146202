/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a block of a file at a time, and hands out the lines in it.
 */
#include "enforce/records/log_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/cleanup.h"

#define BLOCK_BYTES 262144

int log_open(struct log_reader *reader, const char *path)
{
	*reader = (struct log_reader){ .now = when_now() };
	log_boot_id(reader->boot_id);
	return log_files_open(&reader->files, path);
}

void log_close(struct log_reader *reader)
{
	log_files_close(&reader->files);
	free(reader->buffer);
	*reader = (struct log_reader){ 0 };
}

void log_go_to(struct log_reader *reader, size_t file, off_t offset)
{
	reader->file = file;
	reader->next = offset;
	reader->filled = 0;
	reader->taken = 0;
	reader->source = (struct log_source){ 0 };
}

void log_rewind(struct log_reader *reader)
{
	log_go_to(reader, 0, 0);
}

off_t log_position(const struct log_reader *reader)
{
	return reader->next - (off_t)(reader->filled - reader->taken);
}

void log_tell(const struct log_reader *reader, size_t *file, off_t *offset)
{
	*file = reader->file;
	*offset = log_position(reader);
}

bool log_is_at(const struct log_reader *reader, size_t file, off_t offset)
{
	return reader->file > file || (reader->file == file && log_position(reader) >= offset) || reader->file >= reader->files.count;
}

/* Reads more of the file behind what is in the buffer; *more becomes false at its end. Returns 0 or -errno. */
static int fill(struct log_reader *reader, bool *more)
{
	const struct log_file *file = &reader->files.list[reader->file];
	size_t left = reader->filled - reader->taken, want = BLOCK_BYTES;
	int error = log_files_unpack(&reader->files, reader->file);
	ssize_t length;

	if (error)
		return error;
	if (left && reader->taken)
		memmove(reader->buffer, reader->buffer + reader->taken, left);
	reader->filled = left;
	reader->taken = 0;
	if (reader->room < left + BLOCK_BYTES) {
		reader->room = left + BLOCK_BYTES;
		reader->buffer = must(realloc(reader->buffer, reader->room));
	}
	if ((off_t)want > file->size - reader->next)
		want = (size_t)(file->size - reader->next);
	length = want ? pread(file->packed ? file->unpacked : file->fd, reader->buffer + left, want, reader->next) : 0;
	if (length < 0)
		return -errno;
	reader->filled += (size_t)length;
	reader->next += length;
	*more = length > 0;
	return 0;
}

int log_next_of_file(struct log_reader *reader, const char **line, size_t *length)
{
	bool more = true, whole = true;

	for (;;) {
		char *start = reader->buffer + reader->taken;
		size_t left = reader->filled - reader->taken;
		char *end = left ? memchr(start, '\n', left) : NULL;
		int error;

		if (end) {
			*line = start;
			*length = (size_t)(end - start);
			reader->taken += *length + 1;
			if (whole && *length <= LOG_LINE_MAX)
				return 0;
			whole = true;
			continue;
		}
		/* Too long for a line of ours: drop it, up to its end. */
		if (left > LOG_LINE_MAX) {
			reader->taken = reader->filled;
			whole = false;
		}
		error = fill(reader, &more);
		if (error || !more) {
			*line = NULL;
			return error;
		}
	}
}

int log_next(struct log_reader *reader, const char **line, size_t *length)
{
	struct log_source source;
	int error = 0;

	*line = NULL;
	while (!error && !*line && reader->file < reader->files.count) {
		error = log_next_of_file(reader, line, length);
		if (!error && !*line) {
			reader->file++;
			reader->next = 0;
			reader->filled = 0;
			reader->taken = 0;
		}
	}
	if (!error && *line && log_line_read_source(*line, *length, &source))
		reader->source = source;
	return error;
}

int64_t log_boot_time(const struct log_reader *reader, int64_t real)
{
	const struct log_source *source = &reader->source;

	if (!strcmp(source->boot_id, reader->boot_id))
		return real - (source->real - source->boot);
	return real - (reader->now.real - reader->now.boot);
}
