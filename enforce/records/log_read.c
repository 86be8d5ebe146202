/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/records/log_read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enforce/records/log_unpack.h"
#include "policy/cleanup.h"
#include "policy/text.h"

#define BLOCK_BYTES 262144
#define LINE_MAX_BYTES 32768 /* ours have some hundred; with a path as long as can be, and each byte escaped, 27,000 */
#define SOURCE_EVERY 1572864 /* bytes within which there is a source, and a batch of events more */

/* An event may stand a little behind later ones: one that its thread, or a timer, recorded afterwards. */
#define LATE_NS 5000000000LL

/* ---------------------------------------------------------------------------------------------
 * Files
 */

/* How compressed files end. The first one is read, the others are left out. */
static const char *const suffixes[] = { ".gz", ".xz", ".zst", ".bz2", ".lz4", ".lzma", ".Z" };

static bool is_suffix(const char *text)
{
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (!strcmp(text, suffixes[i]))
			return true;
	return false;
}

/*
 * How old a file of this name is: audit.log is the newest, then .0, .1, .2, then -20261125, each of them compressed or not; 0: it
 * isn't one of the log. *suffix: how a compressed one ends, else "".
 */
static unsigned long age_of(const char *name, const char *log, const char **suffix)
{
	size_t length = strlen(log);
	const char *rest = name + length, *digits = rest + 1;

	*suffix = "";
	if (strncmp(name, log, length) != 0)
		return 0;
	if (!*rest)
		return 1;
	length = strspn(digits, "0123456789");
	*suffix = digits + length;
	if (!length || length > 18 || (**suffix && !is_suffix(*suffix)))
		return 0;
	if (*rest == '.')
		return 2 + strtoul(digits, NULL, 10);
	return *rest == '-' ? ULONG_MAX - strtoul(digits, NULL, 10) : 0;
}

struct name {
	char *text;
	unsigned long age;
	bool foreign; /* compressed, but not with gzip */
};

static int compare_names(const void *a, const void *b)
{
	const struct name *first = a, *second = b;
	int order = (first->age < second->age) - (first->age > second->age);

	/* What is compressed was rotated before what has the same number and isn't yet. */
	return order ? order : strcmp(second->text, first->text);
}

struct names_found {
	struct name *list;
	size_t count;
};

static void free_names(struct names_found *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i].text);
	free(names->list);
	*names = (struct names_found){ 0 };
}

static void add_name(struct names_found *names, const char *name, unsigned long age, bool foreign)
{
	names->list = must(reallocarray(names->list, names->count + 1, sizeof(*names->list)));
	names->list[names->count++] = (struct name){ must(strdup(name)), age, foreign };
}

/* The names of the log's files in `directory`, oldest first. In one that may not be read, that of the log alone is known. */
static int find_names(int directory, const char *log, struct names_found *names)
{
	int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;

	if (!stream && errno == EACCES) {
		if (!faccessat(directory, log, F_OK, AT_SYMLINK_NOFOLLOW))
			add_name(names, log, 1, false);
		return 0;
	}
	if (!stream)
		return -errno;
	while ((entry = readdir(stream))) {
		const char *suffix;
		unsigned long age = age_of(entry->d_name, log, &suffix);

		if (age)
			add_name(names, entry->d_name, age, *suffix && strcmp(suffix, suffixes[0]) != 0);
	}
	closedir(stream);
	if (names->count)
		qsort(names->list, names->count, sizeof(*names->list), compare_names);
	return 0;
}

static bool is_open_already(const struct log_reader *reader, ino_t inode)
{
	for (size_t i = 0; i < reader->count; i++)
		if (reader->files[i].inode == inode)
			return true;
	return false;
}

off_t log_end_of_lines(int fd, off_t size)
{
	char block[4096];

	while (size > 0) {
		off_t from = size > (off_t)sizeof(block) ? size - (off_t)sizeof(block) : 0;
		ssize_t length = pread(fd, block, (size_t)(size - from), from);
		const char *newline;

		if (length <= 0)
			return length ? -errno : 0;
		newline = memrchr(block, '\n', (size_t)length);
		if (newline)
			return from + (newline - block) + 1;
		size = from;
	}
	return 0;
}

static bool ends_packed(const char *name)
{
	size_t length = strlen(name), suffix = strlen(suffixes[0]);

	return length > suffix && !strcmp(name + length - suffix, suffixes[0]);
}

/* A file that is gone meanwhile was the oldest, or has another name now. One that may not be read is left out, but for the log itself. */
static int open_file(struct log_reader *reader, int directory, const char *log, const char *name)
{
	_cleanup_close_ int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	struct log_file file;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 && errno == EACCES && strcmp(name, log) != 0) {
		reader->unreadable++;
		return 0;
	}
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (is_open_already(reader, st.st_ino))
		return 0;
	file = (struct log_file){ .fd = fd, .inode = st.st_ino, .unpacked = -1 };
	file.packed = log_is_packed(fd) || ends_packed(name);
	if (!file.packed)
		file.size = log_end_of_lines(fd, st.st_size);
	if (file.size < 0)
		return (int)file.size;
	file.fd = TAKE_FD(fd);
	file.name = must(strdup(name));
	reader->files = must(reallocarray(reader->files, reader->count + 1, sizeof(*reader->files)));
	reader->files[reader->count++] = file;
	return 0;
}

static void drop_unpacked(struct log_file *file)
{
	if (file->unpacked >= 0)
		close(file->unpacked);
	file->unpacked = -1;
}

static void close_files(struct log_reader *reader)
{
	for (size_t i = 0; i < reader->count; i++) {
		close(reader->files[i].fd);
		drop_unpacked(&reader->files[i]);
		free(reader->files[i].name);
	}
	free(reader->files);
	reader->files = NULL;
	reader->count = 0;
	reader->unreadable = 0;
	reader->foreign = 0;
}

/* True if each file that is there now is open, or may not be. */
static bool are_open(const struct log_reader *reader, int directory, const struct names_found *names)
{
	struct stat st;

	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->list[i].text;

		if (names->list[i].foreign)
			continue;
		if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW))
			return false;
		if (!is_open_already(reader, st.st_ino) && (!faccessat(directory, name, R_OK, AT_EACCESS) || errno != EACCES))
			return false;
	}
	return true;
}

/* The length of the first line of a file, which is read into `text`; 0: there is none. */
static size_t read_first_line(const struct log_file *file, char text[LINE_MAX_BYTES])
{
	ssize_t length = file->packed ? (ssize_t)log_unpack_start(file->fd, text, LINE_MAX_BYTES) :
					pread(file->fd, text, LINE_MAX_BYTES, 0);
	const char *end = length > 0 ? memchr(text, '\n', (size_t)length) : NULL;

	return end ? (size_t)(end - text) : 0;
}

/* True if one is being made of the other just now, or both were left: gzip removes the text when the compressed file is whole. */
static bool is_copy(const struct log_file *packed, const struct log_file *text)
{
	_cleanup_free_ char *first = must(malloc(LINE_MAX_BYTES)), *second = must(malloc(LINE_MAX_BYTES));
	size_t length = strlen(text->name);

	if (!packed->packed || text->packed || strncmp(packed->name, text->name, length) != 0 || strcmp(packed->name + length, suffixes[0]) != 0)
		return false;
	length = read_first_line(packed, first);
	return !length || (length == read_first_line(text, second) && !memcmp(first, second, length));
}

/* What stands in a text as well has nothing to say. */
static void drop_copies(struct log_reader *reader)
{
	for (size_t i = 1; i < reader->count; i++)
		if (is_copy(&reader->files[i - 1], &reader->files[i]))
			reader->files[i - 1].packed = false;
}

/* -EAGAIN: files got other names meanwhile, and one may be missing. */
static int open_files(struct log_reader *reader, int directory, const char *log)
{
	struct names_found names = { 0 }, again = { 0 };
	int error = find_names(directory, log, &names);

	for (size_t i = 0; i < names.count && !error; i++) {
		if (names.list[i].foreign)
			reader->foreign++;
		else
			error = open_file(reader, directory, log, names.list[i].text);
	}
	drop_copies(reader);
	if (!error)
		error = find_names(directory, log, &again);
	if (!error && !are_open(reader, directory, &again))
		error = -EAGAIN;
	free_names(&names);
	free_names(&again);
	return error;
}

/* A log may have more files than descriptors are usual. */
static void allow_many_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int log_open(struct log_reader *reader, const char *path)
{
	const char *slash = strrchr(path, '/'), *log = slash ? slash + 1 : path;
	_cleanup_free_ char *parent = slash ? text_format("%.*s", (int)(slash - path) + 1, path) : text_format("./");
	_cleanup_close_ int directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int error = -EAGAIN;

	*reader = (struct log_reader){ .now = when_now() };
	log_boot_id(reader->boot_id);
	if (directory < 0)
		return errno == ENOENT ? 0 : -errno;
	reader->directory = TAKE_PTR(parent);
	allow_many_files();
	for (int tries = 0; tries < 10 && error == -EAGAIN; tries++) {
		close_files(reader);
		error = open_files(reader, directory, log);
	}
	return error;
}

void log_close(struct log_reader *reader)
{
	close_files(reader);
	free(reader->buffer);
	free(reader->directory);
	*reader = (struct log_reader){ 0 };
}

bool log_has_lines(const struct log_reader *reader)
{
	for (size_t i = 0; i < reader->count; i++)
		if (reader->files[i].size || reader->files[i].packed)
			return true;
	return false;
}

/* Makes the text of a packed file readable, and that of no other any more. Returns 0 or -errno. */
static int unpack(struct log_reader *reader, size_t index)
{
	struct log_file *file = &reader->files[index];
	bool damaged = false;
	off_t size;
	int fd;

	if (!file->packed || file->unpacked >= 0)
		return 0;
	for (size_t i = 0; i < reader->count; i++)
		drop_unpacked(&reader->files[i]);
	fd = log_unpack(file->fd, reader->directory, &damaged);
	if (fd < 0)
		return fd;
	file->unpacked = fd;
	size = log_end_of_lines(fd, lseek(fd, 0, SEEK_END));
	if (size < 0)
		return (int)size;
	file->size = size;
	if (damaged && !file->damaged && reader->tell)
		reader->tell("%s%s is damaged: only %lld bytes of its text can be read", reader->directory, file->name,
			     (long long)size);
	file->damaged = file->damaged || damaged;
	return 0;
}

/* ---------------------------------------------------------------------------------------------
 * Lines
 */

static void go_to(struct log_reader *reader, size_t file, off_t offset)
{
	reader->file = file;
	reader->next = offset;
	reader->filled = 0;
	reader->taken = 0;
	reader->source = (struct log_source){ 0 };
}

void log_rewind(struct log_reader *reader)
{
	go_to(reader, 0, 0);
}

/* Where the next line begins. */
static off_t position(const struct log_reader *reader)
{
	return reader->next - (off_t)(reader->filled - reader->taken);
}

void log_tell(const struct log_reader *reader, size_t *file, off_t *offset)
{
	*file = reader->file;
	*offset = position(reader);
}

bool log_is_at(const struct log_reader *reader, size_t file, off_t offset)
{
	return reader->file > file || (reader->file == file && position(reader) >= offset) || reader->file >= reader->count;
}

/* More of the file behind what is in the buffer. Returns 0 or -errno; false in *more at the end of the file. */
static int fill(struct log_reader *reader, bool *more)
{
	const struct log_file *file = &reader->files[reader->file];
	size_t left = reader->filled - reader->taken, want = BLOCK_BYTES;
	int error = unpack(reader, reader->file);
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

/* The next line of this file; NULL at its end. */
static int next_of_file(struct log_reader *reader, const char **line, size_t *length)
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
			if (whole && *length <= LINE_MAX_BYTES)
				return 0;
			whole = true;
			continue;
		}
		/* Longer than any of ours: forgotten, up to its end. */
		if (left > LINE_MAX_BYTES) {
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
	while (!error && !*line && reader->file < reader->count) {
		error = next_of_file(reader, line, length);
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

/* ---------------------------------------------------------------------------------------------
 * Places
 */

/* Goes to the first source at or behind this place, within a file, and leaves it to be read next. */
static int find_source(struct log_reader *reader, size_t file, off_t offset, off_t limit, bool *found)
{
	const char *line;
	size_t length;
	struct log_source source;
	int error = 0;

	go_to(reader, file, offset);
	*found = false;
	/* The middle of a line is no beginning of one. */
	if (offset)
		error = next_of_file(reader, &line, &length);
	while (!error && position(reader) < limit) {
		off_t start = position(reader);

		error = next_of_file(reader, &line, &length);
		if (error || !line)
			break;
		if (log_line_read_source(line, length, &source)) {
			go_to(reader, file, start);
			reader->source = source;
			*found = true;
			return 0;
		}
	}
	return error;
}

/* Goes to where a file begins. *source: of its first line. */
static int first_source(struct log_reader *reader, size_t file, bool *found)
{
	if (reader->files[file].packed && reader->files[file].unpacked < 0) {
		_cleanup_free_ char *line = must(malloc(LINE_MAX_BYTES));
		size_t length = read_first_line(&reader->files[file], line);

		go_to(reader, file, 0);
		*found = length && log_line_read_source(line, length, &reader->source);
		return 0;
	}
	return find_source(reader, file, 0, 1, found);
}

/* When it is sure that no event from after `since` stands before. */
static int64_t with_late(int64_t since)
{
	return since < INT64_MIN + LATE_NS ? INT64_MIN : since - LATE_NS;
}

bool log_is_before(const struct log_reader *reader, int64_t since)
{
	return reader->source.boot_id[0] && log_boot_time(reader, reader->source.real) < with_late(since);
}

/* Goes to the last source of the file that is before `since`, or to its beginning. */
static int search_file(struct log_reader *reader, size_t file, int64_t since)
{
	int error = unpack(reader, file);
	off_t low = 0, high = reader->files[file].size;

	while (!error && high - low > SOURCE_EVERY) {
		off_t middle = low + (high - low) / 2;
		bool found;

		error = find_source(reader, file, middle, high, &found);
		if (!error && found && log_is_before(reader, since))
			low = position(reader);
		else
			high = middle;
	}
	go_to(reader, file, low);
	return error;
}

int log_seek_time(struct log_reader *reader, int64_t since)
{
	size_t begin = 0;

	/* From the oldest on: a boot in between may have begun with a clock that was far behind. */
	for (size_t file = 0; file < reader->count; file++) {
		bool found;
		int error = first_source(reader, file, &found);

		if (error)
			return error;
		if (found && !log_is_before(reader, since))
			break;
		if (found)
			begin = file;
	}
	return begin < reader->count ? search_file(reader, begin, since) : 0;
}

/* True if a source of this kernel side, at or before the mark, is in the files from the one on that is read. */
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

	for (size_t file = reader->count; file-- > 0;) {
		error = first_source(reader, file, found);
		if (error)
			return error;
		if (*found && log_same_source(&reader->source, at) && reader->source.mark.seq <= at->mark.seq) {
			go_to(reader, file, 0);
			return 0;
		}
	}
	/* It may begin in the middle of a file. */
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
		error = unpack(reader, --*file);
		if (error)
			return error;
		*end = reader->files[*file].size;
	}
	*offset = 0;
	for (off_t back = SOURCE_EVERY; !error && !found && back < *end; back *= 2) {
		error = find_source(reader, *file, *end - back, *end, &found);
		if (found)
			*offset = position(reader);
	}
	if (!found)
		go_to(reader, *file, 0);
	return error;
}

/* True if there is a source up to this place of the file. */
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

/* Counts all lines from where the reader is. */
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
	size_t file = reader->count;
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
		go_to(reader, file, offset);
		error = count_rest(reader, end);
	}
	log_rewind(reader);
	return error;
}
