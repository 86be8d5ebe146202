/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads and prints the lines of the lasting log. Each line is a JSON object:
 *
 *   an event    as `audit --json` prints it
 *   a source    {"schema":1,"time":"...","source":{...}}: the kernel side that the next events are of, and how many of
 *               its events stand before this line or were missed
 *   missed      {"schema":1,"missed":3,"missed_allow":3,"missed_deny":0,"time":"...","source":{...}}: how many events were
 *               overwritten, or never written, before this line; and a source
 *
 * A source stands at least once in each megabyte, wherever another kernel side begins, and where the clock was set. So the
 * line of an event and the last source above it are all that is needed to find the event by time, and to go on behind it.
 */
#ifndef SOCKACCEPT_LOG_LINE_H
#define SOCKACCEPT_LOG_LINE_H

#include <jansson.h>

#include "enforce/base/output.h"
#include "enforce/records/reader.h"
#include "enforce/records/record.h"

#define BOOT_ID_MAX 40

struct log_source {
	char boot_id[BOOT_ID_MAX]; /* of the boot; "": no source */
	uint64_t instance;         /* of the kernel side, kernel_instance() */
	int64_t real, boot;        /* both clocks when the line was written, in ns: they tell what the clock was set to */
	struct reader_mark mark;
	uint64_t missed[VERDICTS]; /* how many of its events before the mark are in no line */
};

enum log_line_kind {
	LOG_LINE_OTHER, /* not a line of ours, or of an unknown schema */
	LOG_LINE_EVENT,
	LOG_LINE_SOURCE,
	LOG_LINE_MISSED, /* has a source, too */
};

struct log_line {
	enum log_line_kind kind;
	int64_t real;             /* its time, ns since 1970 */
	struct log_source source; /* unless it is an event */
	uint64_t missed[VERDICTS];
	struct event event; /* what a record needs: without thread, queue and time_boot */
	struct record record;
	json_t *json; /* owns the texts */
};

/* Parses a line without its newline. A line that isn't ours becomes LOG_LINE_OTHER. Clear it in the end. */
void log_line_read(struct log_line *line, const char *text, size_t length);

/* Frees the texts: the record is no longer valid. */
void log_line_clear(struct log_line *line);

/* Moves `source`, which describes the lines before this one, behind it. */
void log_line_count(const struct log_line *line, struct log_source *source);

/* Returns true if the line begins as a source or a missed line does. Much faster than parsing it. */
bool log_line_is_source(const char *text, size_t length);

/* Reads the source of a line. Returns false if it is neither a source nor a missed line. */
bool log_line_read_source(const char *text, size_t length, struct log_source *source);

/*
 * Finds the text of an event's binary as it stands in the line, with its quotes, and the listener's port, without parsing the rest.
 * Returns false if the line hasn't both.
 */
bool log_line_find_pair(const char *text, size_t length, const char **binary, size_t *binary_length, unsigned *port);

/* Prints a source, or if any number in `missed` isn't 0, a missed line. `output` must be JSON. */
void log_line_print_source(struct output *output, const struct log_source *source, const uint64_t missed[VERDICTS]);

/* Reads the id of this boot into `id`. If it can't be read, makes up an id that no boot has. */
void log_boot_id(char id[BOOT_ID_MAX]);

/* Returns the place before the first event of the kernel side with this kernel_instance(), of this boot. */
struct log_source log_source_of(uint64_t instance);

/* Returns true if both are of the same kernel side. */
bool log_same_source(const struct log_source *a, const struct log_source *b);

#endif
