/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel would decide: the same text (bpf/shared/decision.h), on an image in user space.
 */
#ifndef SOCKACCEPT_DECIDE_H
#define SOCKACCEPT_DECIDE_H

#include "policy/image.h"

/* The rule of `image`, which isn't empty, that decides `request`; NULL: its default does. */
const struct rule_record *decide_request(const struct image *image, const struct request *request);

/* The verdict, an enum verdict, when `rule` decides, or the default where that is NULL. */
unsigned decide_verdict(const struct image *image, const struct rule_record *rule);

/* True if a policy denies anyone, and means it (mode enforce); mostly, one that doesn't is seen by that. */
bool decide_denies_some(const struct image *image);

/* When the next of its temporary rules ends, after `now`: ns of CLOCK_BOOTTIME; 0: none does. */
uint64_t decide_next_end(const struct image *image, uint64_t now);

/*
 * True if a policy lets the binary of `request` accept on its port under no condition, and has no rule by which it listens there for others.
 * Sets request->anyone.
 */
bool decide_never(const struct image *image, struct request *request);

/* True if a policy lets the binary of `request` listen on its port, whoever the user is. Sets request->anyone. */
bool decide_listen(const struct image *image, struct request *request);

#endif
