/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads and writes points in time and lengths of time.
 */
#ifndef SOCKACCEPT_WHEN_H
#define SOCKACCEPT_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/* What the clocks say, in ns. The time since boot goes on through suspend, whatever anybody sets the clock to. */
struct when_now {
	int64_t real; /* CLOCK_REALTIME */
	int64_t boot; /* CLOCK_BOOTTIME */
};

/* Reads a length of time, such as `1h30m`. Returns its seconds; a negative number if `text` isn't one. */
int64_t when_parse_length(const char *text);

#define LENGTH_TEXT_MAX 32
/* Writes a length of time in its two largest units, rounded up, such as `11h59m`, into `text`, and returns it. */
const char *when_length(uint64_t ns, char text[LENGTH_TEXT_MAX]);

/* Returns a length of time in ns as seconds, rounded up: a time that is left is 0 only when it is over. */
uint64_t seconds_up(uint64_t ns);

/* Reads the clocks. */
struct when_now when_now(void);

/*
 * Reads a point in time from `text`: how long ago (`90s`, `10m`, `1h30m`, `2d`, `1w`), the last time that the clock showed it
 * (`14:00`, `14:00:30`), a date, or a date and time (`2026-11-24`, `2026-11-24T14:00`), with or without a fraction of a
 * second and a zone (`Z`, `+01:00`). Without a zone it is local time, or UTC if `utc`. On success sets *boot, in ns since boot,
 * negative for what was before, and returns NULL. Otherwise leaves *boot as it is, and returns a constant sentence that says what is
 * wrong.
 *
 * Counts back from now, by the clock as it is set now: so the result is right also for events from before somebody set the clock.
 */
const char *when_parse(const char *text, bool utc, const struct when_now *now, int64_t *boot);

/* Returns true if `text` can only be a time of day, which when_parse() takes for the last such time. */
bool when_is_clock(const char *text);

/* Returns how many seconds CLOCK_TAI is ahead of UTC, as this machine has been told: mostly 0 or 37. */
int64_t when_tai_offset(void);

#define WHEN_TEXT_MAX 40
/* Writes `2026-11-24T14:00:05.123456789Z`, of ns since 1970, into `text` of WHEN_TEXT_MAX bytes, and returns it. */
const char *when_exact(int64_t real, char *text);

/* Reads what when_exact() writes into *real. Returns false, and leaves *real, if it is anything else. */
bool when_read_exact(const char *text, int64_t *real);

/* Writes `11-24 14:00:05` for a table, in local time or UTC, in the same way. */
const char *when_short(int64_t real, bool utc, char *text);

#endif
