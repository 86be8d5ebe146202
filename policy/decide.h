/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel would decide: the same text (bpf/decision.h), on an image in user space.
 */
#ifndef SOCKACCEPT_DECIDE_H
#define SOCKACCEPT_DECIDE_H

#include "policy/image.h"

/* What is asked: may this binary, run by this user, accept on this port? */
struct question {
	uint32_t binary;   /* its number; BINARY_ANY: no rule names it */
	uint32_t uid;      /* effective */
	uint32_t protocol; /* enum protocol: the listener's class */
	uint32_t port;
	uint64_t now;      /* ns of CLOCK_BOOTTIME, for temporary rules */
};

/* The rule of `image`, which isn't empty, that decides; NULL: its default does. */
const struct rule_record *decide_question(const struct image *image, const struct question *question);

/* The verdict, an enum verdict, of that rule or of the default. */
unsigned decide_verdict(const struct image *image, const struct question *question);

#endif
