/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads and writes points in time by fixed patterns.
 */
#include "enforce/base/when.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND 1000000000LL
#define DAY 86400
#define FAR 7000000000LL /* seconds, in either direction: 221 years, of which the ns fit 64 bits with some to spare */

static const char not_understood[] = "write how long ago (10m, 2h, 3d), a time of day (14:00), a date (2026-11-24), or both "
				     "(2026-11-24T14:00, with Z or +01:00 if it isn't local time)";
static const char no_such_date[] = "there is no such date or time";

uint64_t seconds_up(uint64_t ns)
{
	return (ns + 999999999) / 1000000000;
}

struct when_now when_now(void)
{
	struct timespec real, boot;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return (struct when_now){ real.tv_sec * SECOND + real.tv_nsec, boot.tv_sec * SECOND + boot.tv_nsec };
}

/* Returns true if *text begins with `pattern`, in which each `0` stands for any digit, and moves *text behind it. */
static bool take(const char **text, const char *pattern)
{
	size_t length = strlen(pattern);

	for (size_t i = 0; i < length; i++)
		if (pattern[i] == '0' ? !isdigit((unsigned char)(*text)[i]) : (*text)[i] != pattern[i])
			return false;
	*text += length;
	return true;
}

static int two_digits(const char *text)
{
	return (text[0] - '0') * 10 + text[1] - '0';
}

const char *when_length(uint64_t ns, char text[LENGTH_TEXT_MAX])
{
	uint64_t seconds = seconds_up(ns);

	if (seconds < 60)
		snprintf(text, LENGTH_TEXT_MAX, "%" PRIu64 "s", seconds);
	else if (seconds < 3600)
		snprintf(text, LENGTH_TEXT_MAX, "%" PRIu64 "m%02" PRIu64 "s", seconds / 60, seconds % 60);
	else if (seconds < DAY)
		snprintf(text, LENGTH_TEXT_MAX, "%" PRIu64 "h%02" PRIu64 "m", seconds / 3600, seconds / 60 % 60);
	else
		snprintf(text, LENGTH_TEXT_MAX, "%" PRIu64 "d%02" PRIu64 "h", seconds / DAY, seconds / 3600 % 24);
	return text;
}

int64_t when_parse_length(const char *text)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', DAY }, { 'w', 7 * DAY } };
	int64_t sum = 0;

	while (*text) {
		size_t digits = strspn(text, "0123456789"), i = 0;

		while (i < 5 && units[i].unit != text[digits])
			i++;
		if (!digits || digits > 9 || i == 5)
			return -1;
		sum += strtoll(text, NULL, 10) * units[i].seconds;
		if (sum > FAR)
			sum = FAR;
		text += digits + 1;
	}
	return sum;
}

/* Reads the fraction of a second at *text, if there is one, as ns. */
static int64_t take_fraction(const char **text)
{
	int64_t fraction = 0, weight = SECOND / 10;

	if (**text != '.' || !isdigit((unsigned char)(*text)[1]))
		return 0;
	for (++*text; isdigit((unsigned char)**text); ++*text, weight /= 10)
		fraction += (**text - '0') * weight;
	return fraction;
}

/* Reads `14:00` or `14:00:30` at *text into `tm`. */
static bool take_clock(const char **text, struct tm *tm)
{
	const char *start = *text;

	if (!take(text, "00:00"))
		return false;
	tm->tm_hour = two_digits(start);
	tm->tm_min = two_digits(start + 3);
	if (take(text, ":00"))
		tm->tm_sec = two_digits(start + 6);
	return true;
}

/* Reads the zone at *text, if there is one: sets *utc, and for a zone in hours and minutes *east to its seconds. */
static bool take_zone(const char **text, bool *utc, int64_t *east)
{
	const char *start = *text;

	if (!*start)
		return true;
	*utc = true;
	if (take(text, "Z"))
		return true;
	if (!take(text, "+00:00") && !take(text, "-00:00"))
		return false;
	*east = two_digits(start + 1) * 3600 + two_digits(start + 4) * 60;
	if (*start == '-')
		*east = -*east;
	return two_digits(start + 1) < 24 && two_digits(start + 4) < 60;
}

/* Returns the seconds since 1970, and makes *tm a time that there is: the 31st of June becomes the 1st of July. */
static int64_t to_seconds(struct tm *tm, bool utc)
{
	tm->tm_isdst = -1;
	return utc ? timegm(tm) : mktime(tm);
}

/* Finds the seconds since 1970 of a time that must be as it is written. Returns false if there is none: no 31st of June. */
static bool seconds_of(const struct tm *written, bool utc, int64_t *seconds)
{
	struct tm tm = *written;

	*seconds = to_seconds(&tm, utc);
	/* An hour that is left out in spring becomes another one: whoever writes it makes no mistake. */
	return tm.tm_mday == written->tm_mday && tm.tm_mon == written->tm_mon && written->tm_hour < 24 && written->tm_min < 60 &&
	       written->tm_sec < 61;
}

static const char *parse_date(const char *text, bool utc, int64_t *seconds, int64_t *fraction)
{
	const char *start = text;
	struct tm tm = { 0 };
	int64_t east = 0;

	if (!take(&text, "0000-00-00"))
		return not_understood;
	tm.tm_year = two_digits(start) * 100 + two_digits(start + 2) - 1900;
	tm.tm_mon = two_digits(start + 5) - 1;
	tm.tm_mday = two_digits(start + 8);
	if (*text) {
		if (!take(&text, "T") && !take(&text, " "))
			return not_understood;
		if (!take_clock(&text, &tm))
			return not_understood;
		*fraction = take_fraction(&text);
		if (!take_zone(&text, &utc, &east) || *text)
			return not_understood;
	}
	if (!seconds_of(&tm, utc, seconds))
		return no_such_date;
	*seconds -= east;
	return *seconds < -FAR || *seconds > FAR ? no_such_date : NULL;
}

/* Finds the last time that a clock showed `text`. Returns NULL or what is wrong. */
static const char *parse_clock(const char *text, bool utc, int64_t now, int64_t *seconds)
{
	time_t today = now;
	struct tm tm;

	if (utc)
		gmtime_r(&today, &tm);
	else
		localtime_r(&today, &tm);
	tm.tm_sec = 0;
	if (!take_clock(&text, &tm) || *text)
		return not_understood;
	if (!seconds_of(&tm, utc, seconds))
		return no_such_date;
	if (*seconds <= now)
		return NULL;
	tm.tm_mday--;
	*seconds = to_seconds(&tm, utc);
	return NULL;
}

bool when_is_clock(const char *text)
{
	return strlen(text) <= 8;
}

const char *when_parse(const char *text, bool utc, const struct when_now *now, int64_t *boot)
{
	int64_t seconds = isdigit((unsigned char)*text) ? when_parse_length(text) : -1, fraction = 0;
	const char *problem;

	if (seconds >= 0) {
		*boot = now->boot - seconds * SECOND;
		return NULL;
	}
	problem = when_is_clock(text) ? parse_clock(text, utc, now->real / SECOND, &seconds) : parse_date(text, utc, &seconds, &fraction);
	if (!problem)
		*boot = now->boot - (now->real - seconds * SECOND - fraction);
	return problem;
}

const char *when_exact(int64_t real, char *text)
{
	time_t seconds = real / SECOND;
	struct tm tm;

	strftime(text, WHEN_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
	snprintf(text + strlen(text), WHEN_TEXT_MAX - strlen(text), ".%09lldZ", (long long)(real % SECOND));
	return text;
}

/* Reads the digits from where when_exact() writes them. Returns false if there is no such time. */
static bool read_date(const char *text, struct tm *tm)
{
	*tm = (struct tm){ .tm_year = two_digits(text) * 100 + two_digits(text + 2) - 1900,
			   .tm_mon = two_digits(text + 5) - 1,
			   .tm_mday = two_digits(text + 8),
			   .tm_hour = two_digits(text + 11),
			   .tm_min = two_digits(text + 14),
			   .tm_sec = two_digits(text + 17) };
	return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 && tm->tm_mday <= 31 && tm->tm_hour < 24 && tm->tm_min < 60 &&
	       tm->tm_sec <= 60;
}

bool when_read_exact(const char *text, int64_t *real)
{
	const char *end = text;
	int64_t fraction = 0;
	struct tm tm;

	if (!take(&end, "0000-00-00T00:00:00.000000000Z") || *end || !read_date(text, &tm))
		return false;
	for (const char *digit = text + 20; *digit != 'Z'; digit++)
		fraction = fraction * 10 + *digit - '0';
	*real = timegm(&tm) * SECOND + fraction;
	return true;
}

int64_t when_tai_offset(void)
{
	struct timespec tai, utc;

	clock_gettime(CLOCK_REALTIME, &utc);
	clock_gettime(CLOCK_TAI, &tai);
	return (tai.tv_sec - utc.tv_sec) + (tai.tv_nsec - utc.tv_nsec > SECOND / 2) - (utc.tv_nsec - tai.tv_nsec > SECOND / 2);
}

const char *when_short(int64_t real, bool utc, char *text)
{
	time_t seconds = real / SECOND;
	struct tm tm;

	strftime(text, WHEN_TEXT_MAX, "%m-%d %H:%M:%S", utc ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm));
	return text;
}
