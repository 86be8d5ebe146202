/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds servers that spin: they try a denied accept(2) again at once, for ever, and use up a processor. Goes by the events of their
 * denials, which are folded in windows (bpf/fold.bpf.h), so that each event says how many denials there were since the one before.
 */
#ifndef SOCKACCEPT_SPINNING_H
#define SOCKACCEPT_SPINNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/shared/sockaccept.h"
#include "enforce/records/record.h"

#define SPINNING_RATE 1000       /* denials a second: a server above that spins */
#define SPINNING_NS 5000000000LL /* for at least this long */
#define SPINNERS_MAX 64          /* how many are followed at a time; the one that has been quiet longest makes room */

/* One server: denials of one kind that follow each other. */
struct spinner {
	uint64_t generation;
	uint32_t uid, binary, port;
	uint16_t family, protocol;
	uint8_t operation;
	bool told;        /* for the caller: it has warned of this server */
	int64_t last;     /* time of its last event, ns since boot */
	int64_t ns;       /* how long it has been above the rate; 0: it isn't */
	uint64_t denials; /* in that time */
};

/* Zero-initialised is empty. */
struct spinning {
	struct spinner list[SPINNERS_MAX];
	size_t count;
};

/*
 * Notes an event. Call it for all denials, in the order of their numbers. If the server has been above the rate for SPINNING_NS or longer,
 * returns it, valid until the next call; else NULL.
 */
struct spinner *spinning_note(struct spinning *spinning, const struct event *event);

#define SPINNER_TEXT_MAX 600
/*
 * Writes `/usr/sbin/nginx (pid 12) on 8081/tcp: 12000 denials a second for 31 s; ...`, with what to do about it, into `text` of
 * SPINNER_TEXT_MAX bytes, and returns it. `record` is that of its last event.
 */
const char *spinner_text(const struct spinner *spinner, const struct record *record, char *text);

/* Returns how many denials a second there are. */
uint64_t spinner_rate(const struct spinner *spinner);

#endif
