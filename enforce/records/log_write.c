/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file itself is the state: where it ends is where the next writer goes on. A line that isn't whole is as good
 * as not written, and is cut off before the next one comes.
 */
#include "enforce/records/log_write.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enforce/base/same_file.h"
#include "enforce/records/log_seek.h"
#include "policy/cleanup.h"
#include "policy/text.h"

/* A source stands in the log at least so often. */
#define SOURCE_BYTES 1048576
/* The clock was set if it differs by more from what the last source says; less is how clocks are kept right. */
#define CLOCK_SET_NS 1000000000LL

static const char *file_name(const struct log_writer *writer)
{
	const char *slash = strrchr(writer->path, '/');

	return slash ? slash + 1 : writer->path;
}

/* ---------------------------------------------------------------------------------------------
 * Opening
 */

/* The lock is on a file that nobody else can open, so that nobody else can hold it. */
static enum status take_lock(struct log_writer *writer)
{
	_cleanup_free_ char *name = text_format(".%s.lock", file_name(writer));

	writer->lock = openat(writer->directory, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (writer->lock < 0)
		return fail(STATUS_FAILED, "can't lock %s: %s", writer->path, strerror(errno));
	if (flock(writer->lock, LOCK_EX | LOCK_NB))
		return fail(STATUS_FAILED, "another daemon writes %s already; stop it first, or name another log with --log",
			    writer->path);
	return STATUS_DONE;
}

/* The directory that the log's path gives, to be freed. */
static char *directory_path(const struct log_writer *writer)
{
	const char *slash = strrchr(writer->path, '/');

	return slash ? text_format("%.*s", (int)(slash - writer->path) + (slash == writer->path), writer->path) : text_format(".");
}

static enum status open_directory(struct log_writer *writer)
{
	_cleanup_free_ char *path = directory_path(writer);

	if (mkdir(path, 0750) && errno != EEXIST)
		return fail(STATUS_FAILED, "can't make %s: %s; make it, or name another log with --log", path, strerror(errno));
	writer->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (writer->directory < 0)
		return fail(STATUS_FAILED, "%s: %s; name another log with --log", path, strerror(errno));
	return take_lock(writer);
}

/* Opens the file, for appending, and makes it if it isn't there. Returns 0 or -errno. */
static int open_file(struct log_writer *writer)
{
	_cleanup_close_ int fd = openat(writer->directory, file_name(writer),
					O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0640);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (writer->fd >= 0)
		close(writer->fd);
	writer->fd = TAKE_FD(fd);
	writer->size = st.st_size;
	writer->reopen = true;
	return 0;
}

static enum status cannot_open(const struct log_writer *writer, int error)
{
	return fail(STATUS_FAILED, "%s: %s", writer->path, error == -EINVAL ? "isn't a plain file; remove it" : strerror(-error));
}

/* A line that was cut short when the last writer was killed is as good as not written. */
static int cut_off_rest(struct log_writer *writer)
{
	off_t size = log_end_of_lines(writer->fd, writer->size);

	if (size < 0)
		return (int)size;
	if (size < writer->size && ftruncate(writer->fd, size))
		return -errno;
	writer->size = size;
	return 0;
}

static int find_end(const struct log_writer *writer, struct log_source *end)
{
	struct log_reader reader;
	int error = log_open(&reader, writer->path);

	if (!error)
		error = log_end(&reader, end);
	log_close(&reader);
	return error;
}

/* What the stream was given. open_memstream() would do, but takes twice as long. */
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

	writer->path = path;
	writer->stream = must(fopencookie(writer, "w", (cookie_io_functions_t){ .write = add_pending }));
	output_start(&writer->output, writer->stream, true);
	event_start(&writer->printer, &writer->output, true);
	status = open_directory(writer);
	if (status != STATUS_DONE)
		return status;
	error = open_file(writer);
	if (!error)
		error = cut_off_rest(writer);
	if (!error)
		error = find_end(writer, end);
	return error ? cannot_open(writer, error) : STATUS_DONE;
}

void log_writer_close(struct log_writer *writer)
{
	if (writer->stream)
		fclose(writer->stream);
	free(writer->pending);
	if (writer->fd >= 0)
		close(writer->fd);
	if (writer->directory >= 0)
		close(writer->directory);
	if (writer->lock >= 0)
		close(writer->lock);
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

	return writer->reopen || !log_same_source(last, source) ||
	       writer->size - writer->source_at >= SOURCE_BYTES || set > CLOCK_SET_NS || set < -CLOCK_SET_NS;
}

void log_begin_batch(struct log_writer *writer, const struct log_source *source)
{
	struct stat st;

	writer->batch = *source;
	if (fstat(writer->fd, &st) || st.st_size >= writer->size)
		return;
	writer->size = st.st_size;
	writer->reopen = true;
}

void log_add_source(struct log_writer *writer, const struct log_source *source, const uint64_t missed[VERDICTS])
{
	if (!missed[VERDICT_ALLOW] && !missed[VERDICT_DENY] && !is_needed(writer, source))
		return;
	log_line_print_source(&writer->output, source, missed);
	writer->source = *source;
	writer->source_at = writer->size;
	writer->reopen = false;
}

/* ---------------------------------------------------------------------------------------------
 * Writing
 */

/* The name of the file that was rotated `number` times, as it is or compressed since. */
static char *rotated_name(const struct log_writer *writer, unsigned number, const char *suffix)
{
	return number ? text_format("%s.%u%s", file_name(writer), number, suffix) : text_format("%s%s", file_name(writer), suffix);
}

static const char *const rotated_suffixes[] = { "", ".gz" };

static bool exists(const struct log_writer *writer, unsigned number)
{
	struct stat st;

	for (int i = 0; i < (number ? 2 : 1); i++) {
		_cleanup_free_ char *name = rotated_name(writer, number, rotated_suffixes[i]);

		if (!fstatat(writer->directory, name, &st, AT_SYMLINK_NOFOLLOW) || errno != ENOENT)
			return true;
	}
	return false;
}

/* Over the oldest one, if there is no room before it. */
static int rename_rotated(const struct log_writer *writer, unsigned number)
{
	for (int i = 0; i < 2; i++) {
		_cleanup_free_ char *from = rotated_name(writer, number, rotated_suffixes[i]);
		_cleanup_free_ char *to = rotated_name(writer, number + 1, rotated_suffixes[i]);

		if (!number && i) /* what is written isn't compressed */
			from[0] = '\0';
		if (!renameat(writer->directory, from, writer->directory, to))
			continue;
		/* What it is the other form of goes, too. */
		if (errno != ENOENT || (unlinkat(writer->directory, to, 0) && errno != ENOENT))
			return -errno;
	}
	return 0;
}

/*
 * The newest files are each one older, up to where one is missing, as after a rotation that was cut short; only if none is
 * does the oldest go. Done again after it failed in the middle, it goes on there.
 */
static int rotate(struct log_writer *writer)
{
	unsigned hole = 0;
	int error = 0;

	if (!writer->rotate_keep)
		return ftruncate(writer->fd, 0) ? -errno : open_file(writer);
	while (hole < writer->rotate_keep && exists(writer, hole))
		hole++;
	while (hole-- > 0 && !error)
		error = rename_rotated(writer, hole);
	return error ? error : open_file(writer);
}

/* A full file that can't be rotated grows on: it is said once, and tried again with each megabyte. */
static void rotate_if_full(struct log_writer *writer)
{
	int error;

	if (writer->size < writer->rotate_bytes || writer->size < writer->rotate_again)
		return;
	error = rotate(writer);
	if (error && !writer->rotate_again)
		warn("can't rotate %s: %s; it grows on", writer->path, strerror(-error));
	writer->rotate_again = error ? writer->size + SOURCE_BYTES : 0;
}

static void say_failed(struct log_writer *writer, int error)
{
	if (!writer->error) {
		writer->failed_at = when_now().boot;
		warn("can't write %s: %s; trying on, and nothing is lost that the kernel still holds", writer->path,
		     strerror(-error));
	}
	writer->error = error;
}

static void say_recovered(struct log_writer *writer)
{
	if (writer->error)
		warn("%s can be written again, after %" PRId64 " s", writer->path,
		     (int64_t)((when_now().boot - writer->failed_at) / 1000000000LL));
	writer->error = 0;
}

/* How much of what is written is whole lines. */
static size_t whole_lines(const struct log_writer *writer)
{
	size_t whole = writer->written;

	while (whole > 0 && writer->pending[whole - 1] != '\n')
		whole--;
	return whole;
}

/* What is in the file of a line that isn't whole goes: nobody should read half a line. */
static void cut_off(struct log_writer *writer)
{
	size_t whole = whole_lines(writer);
	struct stat st;

	if (whole == writer->written || fstat(writer->fd, &st) || st.st_size < (off_t)(writer->written - whole) ||
	    ftruncate(writer->fd, st.st_size - (off_t)(writer->written - whole)))
		return;
	writer->size = st.st_size - (off_t)(writer->written - whole);
	writer->written = whole;
}

static int write_pending(struct log_writer *writer)
{
	while (writer->written < writer->pending_bytes) {
		ssize_t length = write(writer->fd, writer->pending + writer->written, writer->pending_bytes - writer->written);

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return -errno;
		writer->written += (size_t)length;
		writer->size += length;
		writer->bytes += (uint64_t)length;
	}
	return 0;
}

/* Makes room for new lines: none is left. */
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
	} else {
		drop_pending(writer);
		rotate_if_full(writer);
	}
	if (error)
		say_failed(writer, error);
	else
		say_recovered(writer);
	return !error;
}

/* What stands before the pending line that is written next: the source of the batch, and the lines since. */
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

/* Pending lines that come into another file than those before them need a source of their own there. */
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
	/* One that stands there already may count what was missed before it. */
	if (!log_line_is_source(lines, left))
		log_line_print_source(&writer->output, &source, none);
	fwrite(lines, 1, left, writer->stream);
	fflush(writer->stream);
	writer->batch = source;
	writer->source = source;
	writer->source_at = writer->size;
	writer->reopen = false;
}

bool log_reopen(struct log_writer *writer)
{
	int error;

	fflush(writer->stream);
	/* Tried once more: the old file may well be the better place. */
	if (write_pending(writer))
		cut_off(writer);
	else
		drop_pending(writer);
	error = open_file(writer);
	if (error)
		warn("can't open %s anew: %s; going on in the old file", writer->path, strerror(-error));
	else
		carry_over(writer);
	return !error;
}

/* ---------------------------------------------------------------------------------------------
 * A name that leads elsewhere
 */

bool log_has_name(const struct log_writer *writer)
{
	struct stat named, written;

	return !lstat(writer->path, &named) && !fstat(writer->fd, &written) && is_same_file(&named, &written);
}

/* True if the directory that is open has the name that the log's path gives. */
static bool directory_has_name(const struct log_writer *writer)
{
	_cleanup_free_ char *path = directory_path(writer);
	struct stat named, open;

	return !stat(path, &named) && !fstat(writer->directory, &open) && is_same_file(&named, &open);
}

/* What is pending goes into the old file, where somebody can find it, or nowhere. */
static void leave_file(struct log_writer *writer, bool removed)
{
	fflush(writer->stream);
	if (removed || !write_pending(writer))
		drop_pending(writer);
	else
		cut_off(writer);
}

static void close_both(int directory, int lock)
{
	if (directory >= 0)
		close(directory);
	if (lock >= 0)
		close(lock);
}

/* Opens the file of the log's name, in a directory that is opened anew if need be. */
static enum status open_anew(struct log_writer *writer)
{
	int directory = writer->directory, lock = writer->lock, error;
	bool moved = !directory_has_name(writer);
	enum status status = STATUS_DONE;

	if (moved) {
		writer->directory = writer->lock = -1;
		status = open_directory(writer);
	}
	error = status == STATUS_DONE ? open_file(writer) : 0;
	if (error)
		status = cannot_open(writer, error);
	if (!moved)
		return status;
	if (status == STATUS_DONE) {
		close_both(directory, lock);
		return status;
	}
	close_both(writer->directory, writer->lock);
	writer->directory = directory;
	writer->lock = lock;
	return status;
}

enum status log_begin_anew(struct log_writer *writer, struct log_source *end, bool *removed)
{
	struct stat old = { 0 };
	enum status status;
	int error;

	*removed = !fstat(writer->fd, &old) && !old.st_nlink;
	if (!*removed)
		leave_file(writer, false);
	status = open_anew(writer);
	if (status != STATUS_DONE)
		return status;
	error = cut_off_rest(writer);
	if (!error)
		error = find_end(writer, end);
	if (error) {
		warn("%s: can't tell where it ends: %s", writer->path, strerror(-error));
		*end = (struct log_source){ 0 };
	}
	if (*removed)
		leave_file(writer, true);
	else
		carry_over(writer);
	return STATUS_DONE;
}
