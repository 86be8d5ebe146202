/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds places in the lasting log by the sources in it.
 */
#include "enforce/records/log_seek.h"

#include <stdlib.h>

#include "policy/cleanup.h"

/* Within so many bytes stands a source: one is written each megabyte, and a batch of events may come before it. */
#define SOURCE_EVERY 1572864

/* An event may stand a little behind later ones, if its thread or a timer recorded it afterwards. */
#define LATE_NS 5000000000LL

/* Goes to the first source of the file that begins in [offset, limit), so that it is read next. Returns 0 or -errno. */
static int find_source(struct log_reader *reader, size_t file, off_t offset, off_t limit, bool *found)
{
	const char *line;
	size_t length;
	struct log_source source;
	int error = 0;

	log_go_to(reader, file, offset);
	*found = false;
	/* This may be the middle of a line: skip the rest of it. */
	if (offset)
		error = log_next_of_file(reader, &line, &length);
	while (!error && log_position(reader) < limit) {
		off_t start = log_position(reader);

		error = log_next_of_file(reader, &line, &length);
		if (error || !line)
			break;
		if (log_line_read_source(line, length, &source)) {
			log_go_to(reader, file, start);
			reader->source = source;
			*found = true;
			return 0;
		}
	}
	return error;
}

/* Goes to where a file begins. *found: its first line is a source. Returns 0 or -errno. */
static int first_source(struct log_reader *reader, size_t file, bool *found)
{
	if (reader->files.list[file].packed && reader->files.list[file].unpacked < 0) {
		_cleanup_free_ char *line = must(malloc(LOG_LINE_MAX));
		size_t length = log_file_first_line(&reader->files.list[file], line);

		log_go_to(reader, file, 0);
		*found = length && log_line_read_source(line, length, &reader->source);
		return 0;
	}
	return find_source(reader, file, 0, 1, found);
}

/* Returns `since` less the most that an event is recorded late. Before a source that is older, no event is from after `since`. */
static int64_t with_late(int64_t since)
{
	return since < INT64_MIN + LATE_NS ? INT64_MIN : since - LATE_NS;
}

bool log_is_before(const struct log_reader *reader, int64_t since)
{
	return reader->source.boot_id[0] && log_boot_time(reader, reader->source.real) < with_late(since);
}

/* Goes to the last source of the file that is before `since`, or to where the file begins. Returns 0 or -errno. */
static int search_file(struct log_reader *reader, size_t file, int64_t since)
{
	int error = log_files_unpack(&reader->files, file);
	off_t low = 0, high = reader->files.list[file].size;

	while (!error && high - low > SOURCE_EVERY) {
		off_t middle = low + (high - low) / 2;
		bool found;

		error = find_source(reader, file, middle, high, &found);
		if (!error && found && log_is_before(reader, since))
			low = log_position(reader);
		else
			high = middle;
	}
	log_go_to(reader, file, low);
	return error;
}

int log_seek_time(struct log_reader *reader, int64_t since)
{
	size_t begin = 0;

	/* Begins with the oldest: a boot in between may have begun with a clock that was far behind. */
	for (size_t file = 0; file < reader->files.count; file++) {
		bool found;
		int error = first_source(reader, file, &found);

		if (error)
			return error;
		if (found && !log_is_before(reader, since))
			break;
		if (found)
			begin = file;
	}
	return begin < reader->files.count ? search_file(reader, begin, since) : 0;
}

/* Reads on until it finds a source of this kernel side at or before the mark. Returns 0 or -errno. */
static int is_in_log(struct log_reader *reader, const struct log_source *at, bool *found)
{
	const char *line;
	size_t length;
	int error;

	*found = false;
	while (!(error = log_next(reader, &line, &length)) && line && !*found)
		*found = log_same_source(&reader->source, at) && reader->source.mark.seq <= at->mark.seq;
	return error;
}

int log_seek_mark(struct log_reader *reader, const struct log_source *at, bool *found)
{
	int error;

	for (size_t file = reader->files.count; file-- > 0;) {
		error = first_source(reader, file, found);
		if (error)
			return error;
		if (*found && log_same_source(&reader->source, at) && reader->source.mark.seq <= at->mark.seq) {
			log_go_to(reader, file, 0);
			return 0;
		}
	}
	/* This kernel side may begin in the middle of a file. */
	log_rewind(reader);
	error = is_in_log(reader, at, found);
	log_rewind(reader);
	return error;
}

int log_seek_back(struct log_reader *reader, size_t *file, off_t *offset, off_t *end)
{
	bool found = false;
	int error = 0;

	*end = *offset;
	while (!*end) {
		if (!*file)
			return 0;
		error = log_files_unpack(&reader->files, --*file);
		if (error)
			return error;
		*end = reader->files.list[*file].size;
	}
	*offset = 0;
	for (off_t back = SOURCE_EVERY; !error && !found && back < *end; back *= 2) {
		error = find_source(reader, *file, *end - back, *end, &found);
		if (found)
			*offset = log_position(reader);
	}
	if (!found)
		log_go_to(reader, *file, 0);
	return error;
}

/* Finds out whether there is a source up to this place of the file. Returns 0 or -errno. */
static int has_source(struct log_reader *reader, size_t file, off_t until, bool *found)
{
	const char *line = "";
	size_t length;
	int error = 0;

	*found = false;
	while (!error && line && !*found && !log_is_at(reader, file, until)) {
		error = log_next(reader, &line, &length);
		*found = !error && line && log_line_is_source(line, length) && reader->source.boot_id[0];
	}
	return error;
}

/* Moves `end` behind all lines from here on. Returns 0 or -errno. */
static int count_rest(struct log_reader *reader, struct log_source *end)
{
	const char *line;
	size_t length;
	int error;

	while (!(error = log_next(reader, &line, &length)) && line) {
		struct log_line read;

		log_line_read(&read, line, length);
		log_line_count(&read, end);
		log_line_clear(&read);
	}
	return error;
}

int log_end(struct log_reader *reader, struct log_source *end)
{
	size_t file = reader->files.count;
	off_t offset = 0, until;
	bool found = false;
	int error;

	*end = (struct log_source){ 0 };
	do {
		error = log_seek_back(reader, &file, &offset, &until);
		if (!error && until)
			error = has_source(reader, file, until, &found);
	} while (!error && until && !found);
	if (found) {
		log_go_to(reader, file, offset);
		error = count_rest(reader, end);
	}
	log_rewind(reader);
	return error;
}
