/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lines of the lasting log. Each is a JSON object:
 *
 *   an event    as `audit --json` prints it
 *   a source    {"schema":1,"time":"...","source":{...}}: the kernel side that the next events are of, and how many of
 *               its events stand before this line or were missed
 *   missed      {"schema":1,"missed":3,"missed_allow":3,"missed_deny":0,"time":"...","source":{...}}: so many were
 *               overwritten, or never written, before this line; and the same
 *
 * A source stands at least once in each megabyte, wherever another kernel side begins, and where the clock was set. So what
 * an event needs to be found by time, and to go on behind it, is in the line itself and the last source above.
 */
#ifndef SOCKACCEPT_LOG_LINE_H
#define SOCKACCEPT_LOG_LINE_H

#include <jansson.h>

#include "enforce/base/output.h"
#include "enforce/records/reader.h"
#include "enforce/records/record.h"

#define BOOT_ID_MAX 40

struct log_source {
	char boot_id[BOOT_ID_MAX]; /* of the boot; "": none */
	uint64_t instance;         /* of the kernel side, kernel_instance() */
	int64_t real, boot;        /* both clocks when the line was written, in ns: what the clock was set to */
	struct reader_mark mark;
	uint64_t missed[VERDICTS]; /* of its events before the mark, those that are in no line */
};

enum log_line_kind {
	LOG_LINE_OTHER, /* none of ours, or of a schema that isn't known */
	LOG_LINE_EVENT,
	LOG_LINE_SOURCE,
	LOG_LINE_MISSED, /* with a source */
};

struct log_line {
	enum log_line_kind kind;
	int64_t real;              /* its time, ns since 1970 */
	struct log_source source;  /* unless it is an event */
	uint64_t missed[VERDICTS];
	struct event event;        /* what a record needs: no ids of threads, nothing of the queue. time_boot isn't set */
	struct record record;
	json_t *json; /* holds the texts */
};

/* Reads the line, without its newline. What isn't one of ours is LOG_LINE_OTHER. Clear it in the end. */
void log_line_read(struct log_line *line, const char *text, size_t length);

/* Frees what it holds. */
void log_line_clear(struct log_line *line);

/* Moves `source`, of the lines before it, behind this line. */
void log_line_count(const struct log_line *line, struct log_source *source);

/* True if the line may be a source or missed, going by how it begins; false: it is neither. */
bool log_line_is_source(const char *text, size_t length);

/* Only whether the line is a source or missed, with its source; false: it is neither. Needs no clearing. */
bool log_line_read_source(const char *text, size_t length, struct log_source *source);

/*
 * The text of an event's binary as it stands in the line, with its quotes, and the listener's port: without reading
 * the rest. False if it has no such things.
 */
bool log_line_find_pair(const char *text, size_t length, const char **binary, size_t *binary_length, unsigned *port);

/* Prints a source, or with a number in `missed` that line, to an output that makes JSON. */
void log_line_print_source(struct output *output, const struct log_source *source, const uint64_t missed[VERDICTS]);

/* This boot's id into `id`; one that no boot has if there is none to be had. */
void log_boot_id(char id[BOOT_ID_MAX]);

/* The kernel side with this kernel_instance(), of this boot, before its first event. */
struct log_source log_source_of(uint64_t instance);

/* True if both are of the same kernel side. */
bool log_same_source(const struct log_source *a, const struct log_source *b);

#endif
