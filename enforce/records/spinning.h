/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Servers that try a denied accept(2) again at once, for ever, and use a processor for that: found in the events of their denials,
 * which are folded by windows (bpf/fold.bpf.h), so that each says how many there were since the one before.
 */
#ifndef SOCKACCEPT_SPINNING_H
#define SOCKACCEPT_SPINNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/shared/sockaccept.h"
#include "enforce/records/record.h"

#define SPINNING_RATE 1000           /* denials a second, above which somebody spins */
#define SPINNING_NS 5000000000LL     /* after so long */
#define SPINNERS_MAX 64              /* that are followed at a time; the one that is quiet for the longest makes room */

/* Denials of one kind that follow each other. */
struct spinner {
	uint64_t generation;
	uint32_t uid, binary, port;
	uint16_t family, protocol;
	uint8_t operation;
	bool told;        /* the caller's own: that it spins was said */
	int64_t last;     /* its last event: ns of CLOCK_BOOTTIME */
	int64_t ns;       /* for so long it has been above the rate; 0: it isn't */
	uint64_t denials; /* in that time */
};

/* Zero-initialised is empty. */
struct spinning {
	struct spinner list[SPINNERS_MAX];
	size_t count;
};

/*
 * Notes an event: call it for all denials, in the order of their numbers. Returns the spinner whose event it is if that has been above
 * the rate for SPINNING_NS or longer, valid until the next call; else NULL.
 */
struct spinner *spinning_note(struct spinning *spinning, const struct event *event);

#define SPINNER_TEXT_MAX 600
/*
 * `/usr/sbin/nginx (pid 12) on 8081/tcp: 12000 denials a second for 31 s; ...`, with what to do about it, into `text` of SPINNER_TEXT_MAX
 * bytes; returns it. `record`: of its last event.
 */
const char *spinner_text(const struct spinner *spinner, const struct record *record, char *text);

/* Denials a second. */
uint64_t spinner_rate(const struct spinner *spinner);

#endif
