/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests the lasting log without a kernel: its end is found whatever the file contains, and every way to a place leads to the same lines.
 * Fails if enforce/records/log_write.c keeps a part of a line, if log_rotate.c, log_target.c or log_names.c loses or mixes up files, if
 * log_seek.c lands on the wrong line, or if log_unpack.c or log_files.c misreads gzip. The lines themselves are tested in test_log_line.c.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#undef fail /* ours is a function */

#include "enforce/kernel/family.h"
#include "enforce/records/log_seek.h"
#include "enforce/records/log_write.h"
#include "policy/cleanup.h"

#define SECOND 1000000000LL
#define HOUR (3600 * SECOND)

static const uint64_t none[VERDICTS];
static char directory[64], path[96];
static bool packing; /* rotated files are compressed */

static int set_up(void **state)
{
	(void)state;
	packing = false;
	strcpy(directory, "/tmp/sockaccept-log.XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/audit.log", directory);
	return 0;
}

static int set_up_packing(void **state)
{
	int result = set_up(state);

	packing = true;
	return result;
}

/* Compresses what was rotated, as logrotate does if it is asked to. */
static void pack_rotated(void)
{
	char command[160];

	snprintf(command, sizeof(command), "gzip %s.*", path);
	assert_true(!packing || !system(command));
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

static void open_writer(struct log_writer *writer, off_t rotate_bytes, struct log_source *end)
{
	*writer = (struct log_writer){ .target = LOG_TARGET_INIT, .rotate_bytes = rotate_bytes, .rotate_keep = 100 };
	assert_int_equal(log_writer_open(writer, path, end), STATUS_DONE);
}

/* Adds an event with this number and time. Its port is the same number. */
static void add(struct log_writer *writer, uint64_t seq, int64_t real)
{
	const struct event event = { .seq = seq,
				     .generation = 3,
				     .count = 1,
				     .family = AF_INET,
				     .protocol = IPPROTO_TCP,
				     .verdict = seq % 3 ? VERDICT_ALLOW : VERDICT_DENY,
				     .flags = EVENT_ENFORCED,
				     .local.port = (__u32)seq,
				     .time_tai = (__u64)(real + when_tai_offset() * SECOND) };
	const struct record record = { .event = &event, .binary = "/usr/bin/server" };

	log_add_event(writer, &record);
}

static struct log_source source_at(uint64_t seq, int64_t real, int64_t boot, const char *boot_id, uint64_t instance)
{
	struct log_source source = { .instance = instance, .real = real, .boot = boot, .mark.seq = seq };

	strcpy(source.boot_id, boot_id);
	source.mark.dealt[VERDICT_DENY] = (seq + 2) / 3;
	source.mark.dealt[VERDICT_ALLOW] = seq - source.mark.dealt[VERDICT_DENY];
	return source;
}

/* Writes the events [from, to), one a second, with a source before every hundred. */
static void fill(struct log_writer *writer, uint64_t from, uint64_t to, int64_t real, int64_t boot, const char *boot_id, uint64_t instance)
{
	for (uint64_t seq = from; seq < to; seq++) {
		int64_t later = (int64_t)(seq - from) * SECOND;

		if ((seq - from) % 100 == 0) {
			struct log_source source = source_at(seq, real + later, boot + later, boot_id, instance);

			assert_true(log_flush(writer));
			writer->source_at -= 1048576; /* as if much had been written */
			log_begin_batch(writer, &source);
			log_add_source(writer, &source, none);
		}
		add(writer, seq, real + later);
	}
	assert_true(log_flush(writer));
}

/* ---------------------------------------------------------------------------------------------
 * Writing
 */

static void expect_end(uint64_t seq, const char *boot_id, uint64_t instance)
{
	const struct log_source wanted = source_at(seq, 0, 0, boot_id, instance);
	struct log_source end;
	struct log_writer writer;

	open_writer(&writer, 1 << 30, &end);
	assert_string_equal(end.boot_id, boot_id);
	assert_int_equal(end.instance, instance);
	assert_memory_equal(&end.mark, &wanted.mark, sizeof(end.mark));
	log_writer_close(&writer);
}

/* Wherever the writer was killed, a part of a line is cut off, and the next writer goes on after the rest. */
static void line_cut_short_is_cut_off(void **state)
{
	struct log_source end;
	struct log_writer writer;
	_cleanup_free_ char *whole = NULL;
	struct stat st;
	size_t size;
	FILE *file;

	(void)state;
	open_writer(&writer, 1 << 30, &end);
	assert_string_equal(end.boot_id, "");
	fill(&writer, 0, 3, HOUR, HOUR, "boot", 1);
	log_writer_close(&writer);
	assert_int_equal(stat(path, &st), 0);
	size = (size_t)st.st_size;
	whole = malloc(size);
	file = fopen(path, "r");
	assert_int_equal(fread(whole, 1, size, file), size);
	fclose(file);
	for (size_t cut = 0; cut <= size; cut++) {
		size_t lines = 0;

		file = fopen(path, "w");
		fwrite(whole, 1, cut, file);
		fclose(file);
		for (size_t i = 0; i < cut; i++)
			lines += whole[i] == '\n';
		if (lines)
			expect_end(lines - 1, "boot", 1);
		else
			expect_end(0, "", 0);
		assert_int_equal(stat(path, &st), 0);
		assert_true((size_t)st.st_size <= cut && (!st.st_size || whole[st.st_size - 1] == '\n'));
	}
}

static void rotation_keeps_the_order(void **state)
{
	struct log_source end;
	struct log_writer writer;
	struct log_reader reader;
	uint64_t seq = 0;
	const char *text;
	size_t length;

	(void)state;
	open_writer(&writer, 65536, &end);
	fill(&writer, 0, 5000, HOUR, HOUR, "boot", 1);
	log_writer_close(&writer);
	pack_rotated();
	expect_end(5000, "boot", 1);
	assert_int_equal(log_open(&reader, path), 0);
	assert_true(reader.files.count > 10);
	while (!log_next(&reader, &text, &length) && text) {
		struct log_line line;

		log_line_read(&line, text, length);
		if (line.kind == LOG_LINE_EVENT)
			assert_int_equal(line.event.seq, seq++);
		log_line_clear(&line);
	}
	assert_int_equal(seq, 5000);
	log_close(&reader);
}

/* If a file can't be renamed, the writer goes on in it, and nothing is lost. */
static void blocked_rotation_loses_nothing(void **state)
{
	char name[128];
	struct log_source end;
	struct log_writer writer;

	(void)state;
	open_writer(&writer, 65536, &end);
	writer.rotate_keep = 2;
	snprintf(name, sizeof(name), "%s.2", path);
	assert_int_equal(mkdir(name, 0700), 0);
	fill(&writer, 0, 2000, HOUR, HOUR, "boot", 1);
	assert_true(writer.target.size > 500000);
	assert_int_equal(rmdir(name), 0);
	writer.rotate_again = 1;
	fill(&writer, 2000, 2100, HOUR, HOUR, "boot", 1);
	fill(&writer, 2100, 2200, HOUR, HOUR, "boot", 1);
	assert_true(writer.target.size < 65536);
	log_writer_close(&writer);
	expect_end(2200, "boot", 1);
}

/* If the new file can't be made, the old ones aren't rotated. */
static void rotation_without_descriptors(void **state)
{
	struct rlimit before, none_left = { 0 };
	struct log_source end;
	struct log_writer writer;
	struct log_reader reader;

	(void)state;
	open_writer(&writer, 65536, &end);
	writer.rotate_keep = 3;
	fill(&writer, 0, 100, HOUR, HOUR, "boot", 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none_left.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none_left), 0);
	for (uint64_t seq = 100; seq < 5000; seq += 100) {
		writer.rotate_again = writer.rotate_again ? 1 : 0; /* each time, not each megabyte */
		fill(&writer, seq, seq + 100, HOUR, HOUR, "boot", 1);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	log_writer_close(&writer);
	assert_int_equal(log_open(&reader, path), 0);
	assert_int_equal(reader.files.count, 1);
	assert_int_equal(log_end(&reader, &end), 0);
	assert_int_equal(end.mark.seq, 5000);
	log_close(&reader);
}

static void emptied_log_goes_on(void **state)
{
	struct log_source end;
	struct log_writer writer;

	(void)state;
	open_writer(&writer, 1 << 30, &end);
	fill(&writer, 0, 500, HOUR, HOUR, "boot", 1);
	assert_int_equal(truncate(path, 0), 0);
	fill(&writer, 500, 600, HOUR, HOUR, "boot", 1);
	log_writer_close(&writer);
	expect_end(600, "boot", 1);
}

/* A line that is longer than any of ours is skipped whole, also its last part, which looks like a line of ours. */
static void long_lines_are_left_out(void **state)
{
	static const char ours[] = "{\"schema\":1}\n";
	struct log_reader reader;
	const char *text;
	size_t length;
	FILE *file = fopen(path, "w");

	(void)state;
	assert_non_null(file);
	for (size_t size = 32000; size < 1000000; size = size * 3 / 2) {
		for (size_t i = 0; i < size; i++)
			fputc('x', file);
		fputs(ours, file);
	}
	fputs(ours, file);
	fclose(file);
	assert_int_equal(log_open(&reader, path), 0);
	assert_int_equal(log_next(&reader, &text, &length), 0);
	assert_int_equal(length, 32000 + sizeof(ours) - 2);
	assert_int_equal(log_next(&reader, &text, &length), 0);
	assert_int_equal(length, sizeof(ours) - 2);
	assert_int_equal(log_next(&reader, &text, &length), 0);
	assert_null(text);
	log_close(&reader);
}

/* Tests what a new file must begin with when the old one took only some of the lines. */
static void reopened_log_goes_on(void **state)
{
	struct log_source end, source = source_at(0, HOUR, HOUR, "boot", 1);
	struct log_writer writer;
	char old[128];
	int full;

	(void)state;
	open_writer(&writer, 1 << 30, &end);
	log_add_source(&writer, &source, none);
	for (uint64_t seq = 0; seq < 10; seq++)
		add(&writer, seq, HOUR);
	assert_true(log_flush(&writer));
	source = source_at(10, HOUR, HOUR, "boot", 1);
	log_begin_batch(&writer, &source);
	for (uint64_t seq = 10; seq < 20; seq++)
		add(&writer, seq, HOUR);
	/* A device that never has room stands for a full disk. */
	full = open("/dev/full", O_WRONLY);
	assert_true(full >= 0);
	close(writer.target.fd);
	writer.target.fd = full;
	assert_false(log_flush(&writer));
	snprintf(old, sizeof(old), "%s.1", path);
	assert_int_equal(rename(path, old), 0);
	assert_true(log_reopen(&writer));
	assert_true(log_flush(&writer));
	log_writer_close(&writer);
	expect_end(20, "boot", 1);
}

static unsigned told;

static void count_told(const char *format, ...)
{
	(void)format;
	told++;
}

static void rename_log(const char *suffix)
{
	char to[128];

	snprintf(to, sizeof(to), "%s%s", path, suffix);
	assert_int_equal(rename(path, to), 0);
}

static uint64_t count_events(void);

/* Somebody renames the log and sends no signal: no line is lost, and none is there twice. */
static void moved_log_goes_on(void **state)
{
	struct log_source end, source = source_at(10, HOUR, HOUR, "boot", 1);
	struct log_writer writer;
	bool removed;

	(void)state;
	open_writer(&writer, 1 << 30, &end);
	fill(&writer, 0, 10, HOUR, HOUR, "boot", 1);
	assert_true(log_target_has_name(&writer.target));
	rename_log(".1");
	assert_false(log_target_has_name(&writer.target));
	log_begin_batch(&writer, &source);
	add(&writer, 10, HOUR);
	assert_int_equal(log_begin_anew(&writer, &end, &removed), STATUS_DONE);
	assert_false(removed);
	assert_true(log_target_has_name(&writer.target));
	assert_int_equal(writer.target.size, 0);
	assert_int_equal(end.mark.seq, 11);
	fill(&writer, 11, 20, HOUR, HOUR, "boot", 1);
	log_writer_close(&writer);
	assert_int_equal(count_events(), 20);
	expect_end(20, "boot", 1);
}

/* The log is removed with its directory; or a part of it is copied in its place. */
static void removed_log_begins_anew(void **state)
{
	char command[500];
	struct log_source end;
	struct log_writer writer, other = LOG_WRITER_INIT;
	bool removed;

	(void)state;
	open_writer(&writer, 1 << 30, &end);
	fill(&writer, 0, 10, HOUR, HOUR, "boot", 1);
	add(&writer, 10, HOUR);
	assert_int_equal(unlink(path), 0);
	assert_false(log_target_has_name(&writer.target));
	assert_int_equal(log_begin_anew(&writer, &end, &removed), STATUS_DONE);
	assert_true(removed);
	assert_string_equal(end.boot_id, "");
	fill(&writer, 10, 20, HOUR, HOUR, "boot", 1);

	/* a copy that ends within a line */
	snprintf(command, sizeof(command), "head -c -3 %s >%s.new && mv %s.new %s", path, path, path, path);
	assert_int_equal(system(command), 0);
	assert_int_equal(log_begin_anew(&writer, &end, &removed), STATUS_DONE);
	assert_true(removed);
	assert_int_equal(end.mark.seq, 19);
	fill(&writer, 19, 30, HOUR, HOUR, "boot", 1);
	assert_int_equal(count_events(), 20);

	snprintf(command, sizeof(command), "rm -r %s", directory);
	assert_int_equal(system(command), 0);
	assert_int_equal(log_begin_anew(&writer, &end, &removed), STATUS_DONE);
	assert_true(removed && log_target_has_name(&writer.target));
	other.rotate_bytes = 1 << 30;
	assert_int_equal(log_writer_open(&other, path, &end), STATUS_FAILED); /* its lock is there, too */
	log_writer_close(&other);
	fill(&writer, 30, 40, HOUR, HOUR, "boot", 1);
	log_writer_close(&writer);
	assert_int_equal(count_events(), 10);
}

/* If the name can't be used, the writer goes on in the old file. */
static void log_that_cannot_begin_anew_stays(void **state)
{
	struct log_source end;
	struct log_writer writer;
	bool removed;

	(void)state;
	open_writer(&writer, 1 << 30, &end);
	fill(&writer, 0, 10, HOUR, HOUR, "boot", 1);
	rename_log(".1");
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(log_target_has_name(&writer.target));
	assert_int_equal(log_begin_anew(&writer, &end, &removed), STATUS_FAILED);
	fill(&writer, 10, 20, HOUR, HOUR, "boot", 1);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(log_begin_anew(&writer, &end, &removed), STATUS_DONE);
	fill(&writer, 20, 30, HOUR, HOUR, "boot", 1);
	log_writer_close(&writer);
	assert_int_equal(count_events(), 30);
}

/* ---------------------------------------------------------------------------------------------
 * Seeking
 */

/* Returns the number of the next event that isn't older than `since`; UINT64_MAX: none. */
static uint64_t first_event(struct log_reader *reader, int64_t since)
{
	const char *text;
	size_t length;

	while (!log_next(reader, &text, &length) && text) {
		struct log_line line;
		bool event;
		uint64_t seq;

		log_line_read(&line, text, length);
		event = line.kind == LOG_LINE_EVENT && log_boot_time(reader, line.real) >= since;
		seq = line.event.seq;
		log_line_clear(&line);
		if (event)
			return seq;
	}
	return UINT64_MAX;
}

/* Writes the log of two boots, with an event a second. In the middle of the second, which is this boot, the clock was set back by a day. */
static void write_two_boots(int64_t real, int64_t boot)
{
	char now[BOOT_ID_MAX];
	struct log_source end;
	struct log_writer writer;

	open_writer(&writer, 65536, &end);
	log_boot_id(now);
	fill(&writer, 0, 1000, real - 10 * HOUR, HOUR, "earlier", 1);
	fill(&writer, 0, 500, real - 1000 * SECOND + 24 * HOUR, boot - 1000 * SECOND, now, 2);
	fill(&writer, 500, 1000, real - 500 * SECOND, boot - 500 * SECOND, now, 2);
	log_writer_close(&writer);
	pack_rotated();
}

static void times_are_found(void **state)
{
	struct when_now now = when_now();
	/* A machine that has just been started hasn't had these events; what is negative is only not written. */
	int64_t boot = now.boot > 2000 * SECOND ? now.boot : 2000 * SECOND;
	struct log_reader reader;

	(void)state;
	write_two_boots(now.real, boot);
	assert_int_equal(log_open(&reader, path), 0);
	reader.now = (struct when_now){ now.real, boot };
	for (int64_t back = 0; back < 1000; back += 37) {
		int64_t since = boot - back * SECOND;
		uint64_t wanted = (uint64_t)(1000 - back);

		assert_int_equal(log_seek_time(&reader, since), 0);
		assert_int_equal(first_event(&reader, since), back ? wanted : UINT64_MAX);
	}
	/* Of the boot before, by what its clock said. */
	assert_int_equal(log_seek_time(&reader, boot - 10 * HOUR + 100 * SECOND), 0);
	assert_int_equal(first_event(&reader, boot - 10 * HOUR + 100 * SECOND), 100);
	assert_int_equal(log_seek_time(&reader, INT64_MIN), 0);
	assert_int_equal(first_event(&reader, INT64_MIN), 0);
	log_close(&reader);
}

static void marks_are_found(void **state)
{
	struct when_now now = when_now();
	struct log_source at = { .boot_id = "earlier", .instance = 1, .mark.seq = 700 };
	struct log_reader reader;
	bool found;

	(void)state;
	write_two_boots(now.real, 2000 * SECOND);
	assert_int_equal(log_open(&reader, path), 0);
	assert_int_equal(log_seek_mark(&reader, &at, &found), 0);
	assert_true(found);
	assert_true(first_event(&reader, INT64_MIN) <= 700);
	at.instance = 3;
	assert_int_equal(log_seek_mark(&reader, &at, &found), 0);
	assert_false(found);
	assert_int_equal(first_event(&reader, INT64_MIN), 0);
	log_close(&reader);
}

/* Read from the last stretch to the first, each line comes once. */
static void stretches_are_the_whole(void **state)
{
	struct log_source end;
	struct log_writer writer;
	struct log_reader reader;
	size_t file, lines = 0, stretches = 0, length;
	const char *text;
	off_t offset = 0, until;

	(void)state;
	open_writer(&writer, 3 << 20, &end);
	fill(&writer, 0, 20000, HOUR, HOUR, "boot", 1);
	log_writer_close(&writer);
	pack_rotated();
	assert_int_equal(log_open(&reader, path), 0);
	file = reader.files.count;
	while (!log_seek_back(&reader, &file, &offset, &until) && until) {
		stretches++;
		while (!log_is_at(&reader, file, until)) {
			assert_int_equal(log_next(&reader, &text, &length), 0);
			lines += !log_line_is_source(text, length);
		}
	}
	assert_int_equal(lines, 20000);
	assert_true(stretches > reader.files.count);
	log_close(&reader);
}

/* Returns how many events are read, from the first file to the last. */
static uint64_t count_events(void)
{
	struct log_reader reader;
	uint64_t events = 0;

	assert_int_equal(log_open(&reader, path), 0);
	reader.files.tell = count_told;
	while (first_event(&reader, INT64_MIN) != UINT64_MAX)
		events++;
	log_close(&reader);
	return events;
}

/* The log was removed, and only rotated files are there. */
static void end_is_in_a_packed_file(void **state)
{
	struct log_source end;
	struct log_writer writer;
	struct log_reader reader;

	(void)state;
	open_writer(&writer, 1 << 30, &end);
	fill(&writer, 0, 1000, HOUR, HOUR, "boot", 1);
	log_writer_close(&writer);
	rename_log(".1");
	pack_rotated();
	assert_int_equal(log_open(&reader, path), 0);
	assert_true(log_files_have_text(&reader.files));
	log_close(&reader);
	expect_end(1000, "boot", 1);
}

/* Some files are compressed meanwhile, and the oldest are removed, compressed or not. */
static void rotation_takes_packed_files_along(void **state)
{
	char name[128];
	struct log_source end;
	struct log_writer writer;
	struct log_reader reader;
	uint64_t seq, next;

	(void)state;
	open_writer(&writer, 65536, &end);
	writer.rotate_keep = 5;
	for (seq = 0; seq < 5000; seq += 500) {
		fill(&writer, seq, seq + 500, HOUR, HOUR, "boot", 1);
		snprintf(name, sizeof(name), "gzip -f %s.%d 2>/dev/null || :", path, 1 + (int)(seq / 500 % 3));
		assert_int_equal(system(name), 0);
	}
	log_writer_close(&writer);
	assert_int_equal(log_open(&reader, path), 0);
	assert_int_equal(reader.files.count, 6);
	seq = first_event(&reader, INT64_MIN);
	while ((next = first_event(&reader, INT64_MIN)) != UINT64_MAX)
		assert_int_equal(next, ++seq);
	assert_int_equal(seq, 4999);
	log_close(&reader);
}

/* What comes before the damage is read, and the damage is reported once. */
static void damaged_file_is_told(void **state)
{
	char name[128];
	struct log_source end;
	struct log_writer writer;
	struct stat st;
	FILE *file;

	(void)state;
	open_writer(&writer, 1 << 30, &end);
	fill(&writer, 0, 20000, HOUR, HOUR, "boot", 1);
	log_writer_close(&writer);
	rename_log(".1");
	pack_rotated();
	open_writer(&writer, 1 << 30, &end); /* an empty one follows */
	log_writer_close(&writer);
	told = 0;
	assert_int_equal(count_events(), 20000);
	assert_int_equal(told, 0);
	snprintf(name, sizeof(name), "%s.1.gz", path);
	assert_int_equal(stat(name, &st), 0);
	/* Without the last byte all of the text is there, but what would verify it is cut off. */
	assert_int_equal(truncate(name, st.st_size - 1), 0);
	assert_int_equal(count_events(), 20000);
	assert_int_equal(told, 1);
	assert_int_equal(truncate(name, st.st_size / 2), 0);
	assert_in_range(count_events(), 5000, 15000);
	assert_int_equal(told, 2);
	/* Not compressed at all, whatever its name says. */
	file = fopen(name, "w");
	assert_non_null(file);
	fputs("{\"schema\":1}\n", file);
	fclose(file);
	assert_int_equal(count_events(), 0);
	assert_int_equal(told, 3);
	assert_int_equal(truncate(name, 0), 0);
	assert_int_equal(count_events(), 0);
	assert_int_equal(told, 4);
}

/* A text and its compressed copy exist while gzip works, and after it was killed. */
static void text_beside_its_copy_is_read_once(void **state)
{
	char command[400], name[128];
	struct log_source end;
	struct log_writer writer;

	(void)state;
	open_writer(&writer, 1 << 30, &end);
	fill(&writer, 0, 2000, HOUR, HOUR, "boot", 1);
	log_writer_close(&writer);
	rename_log(".1");
	snprintf(command, sizeof(command), "gzip -k %s.1", path);
	assert_int_equal(system(command), 0);
	told = 0;
	assert_int_equal(count_events(), 2000);
	snprintf(name, sizeof(name), "%s.1.gz", path);
	for (off_t size = 4000; size >= 0; size -= 1000) {
		assert_int_equal(truncate(name, size), 0);
		assert_int_equal(count_events(), 2000);
	}
	assert_int_equal(told, 0);
	/* Another one of the same number is older. */
	open_writer(&writer, 1 << 30, &end);
	fill(&writer, 2000, 2100, HOUR, HOUR, "boot", 1);
	log_writer_close(&writer);
	snprintf(command, sizeof(command), "gzip -f %s.1 && mv %s %s.1", path, path, path);
	assert_int_equal(system(command), 0);
	assert_int_equal(count_events(), 2100);
	expect_end(2100, "boot", 1);
	assert_int_equal(told, 0);
}

static void names_are_told_apart(void **state)
{
	static const char *const names[] = { "audit.log.2",    "audit.log.1", "audit.log.0", "audit.log",  "audit.log-20261101",
					     "audit.log.1.xz", "audit.log.",  "audit.log.x", "audit.logs", "other.log" };
	struct log_reader reader;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char name[128];
		FILE *file;

		snprintf(name, sizeof(name), "%s/%s", directory, names[i]);
		file = fopen(name, "w");
		assert_non_null(file);
		fprintf(file, "%s\n", names[i]);
		fclose(file);
	}
	assert_int_equal(log_open(&reader, path), 0);
	assert_int_equal(reader.files.count, 5);
	assert_int_equal(reader.files.foreign, 1);
	for (size_t i = 0; i < 5; i++) {
		static const char *const order[] = { "audit.log-20261101", "audit.log.2", "audit.log.1", "audit.log.0", "audit.log" };
		const char *text;
		size_t length;

		assert_int_equal(log_next(&reader, &text, &length), 0);
		assert_int_equal(length, strlen(order[i]));
		assert_memory_equal(text, order[i], length);
	}
	log_close(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(line_cut_short_is_cut_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rotation_keeps_the_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(blocked_rotation_loses_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rotation_without_descriptors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(emptied_log_goes_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_lines_are_left_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reopened_log_goes_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(moved_log_goes_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(removed_log_begins_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(log_that_cannot_begin_anew_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(times_are_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(marks_are_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stretches_are_the_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rotation_keeps_the_order, set_up_packing, tear_down),
		cmocka_unit_test_setup_teardown(times_are_found, set_up_packing, tear_down),
		cmocka_unit_test_setup_teardown(marks_are_found, set_up_packing, tear_down),
		cmocka_unit_test_setup_teardown(stretches_are_the_whole, set_up_packing, tear_down),
		cmocka_unit_test_setup_teardown(end_is_in_a_packed_file, set_up_packing, tear_down),
		cmocka_unit_test_setup_teardown(rotation_takes_packed_files_along, set_up_packing, tear_down),
		cmocka_unit_test_setup_teardown(damaged_file_is_told, set_up_packing, tear_down),
		cmocka_unit_test_setup_teardown(text_beside_its_copy_is_read_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_are_told_apart, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
