/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Points in time on the command line.
 */
#ifndef SOCKACCEPT_WHEN_H
#define SOCKACCEPT_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/* What the clocks say, in ns. Time since boot counts on through suspend and whatever anybody sets the clock to. */
struct when_now {
	int64_t real; /* CLOCK_REALTIME */
	int64_t boot; /* CLOCK_BOOTTIME */
};

/* `1h30m`: so many seconds; negative: it isn't such a thing. */
int64_t when_parse_length(const char *text);

#define LENGTH_TEXT_MAX 32
/* The same the other way, to the two largest units, rounded up: `11h59m`, into `text`; returns it. */
const char *when_length(uint64_t ns, char text[LENGTH_TEXT_MAX]);

/* A length of time in ns as seconds, rounded up: of what is left, 0 only when it is over. */
uint64_t seconds_up(uint64_t ns);

/* Reads the clocks. */
struct when_now when_now(void);

/*
 * Reads a point in time from `text`: how long ago (`90s`, `10m`, `1h30m`, `2d`, `1w`), the last time that the clock showed it
 * (`14:00`, `14:00:30`), a date, or a date and time (`2026-11-24`, `2026-11-24T14:00`), with or without a fraction of a
 * second and a zone (`Z`, `+01:00`). Without a zone, local time, or UTC if `utc`. On success sets *boot, in ns since boot,
 * negative for what was before, and returns NULL. Otherwise *boot is untouched and a constant sentence says what is wrong.
 *
 * Clock times are taken back from now by the clock as it is set now, so that they stay right for events from before it was
 * set.
 */
const char *when_parse(const char *text, bool utc, const struct when_now *now, int64_t *boot);

/* True if `text` can be only a time of day, which when_parse() takes for the last such time. */
bool when_is_clock(const char *text);

/* Seconds that CLOCK_TAI is ahead of UTC, as this machine has been told: mostly 0 or 37. */
int64_t when_tai_offset(void);

#define WHEN_TEXT_MAX 40
/* `2026-11-24T14:00:05.123456789Z`, of ns since 1970, into `text` of WHEN_TEXT_MAX bytes; returns it. */
const char *when_exact(int64_t real, char *text);

/* Reads what when_exact() writes into *real. Returns false, and leaves *real, if it is anything else. */
bool when_read_exact(const char *text, int64_t *real);

/* `11-24 14:00:05` for a table: local time, or UTC. The same. */
const char *when_short(int64_t real, bool utc, char *text);

#endif
