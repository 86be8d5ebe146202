/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel would decide: the same code (bpf/shared/decision.h), on an image in user space.
 */
#ifndef SOCKACCEPT_DECIDE_H
#define SOCKACCEPT_DECIDE_H

#include "policy/image.h"

/* Returns the rule of `image`, which must not be empty, that decides `request`. Returns NULL if the default decides. */
const struct rule_record *decide_request(const struct image *image, const struct request *request);

/* Returns the verdict of `rule`, an enum verdict, or the default verdict if `rule` is NULL. */
unsigned decide_verdict(const struct image *image, const struct rule_record *rule);

/* Returns true if the policy has mode enforce and can deny something: its default or one of its rules denies. */
bool decide_denies_some(const struct image *image);

/* Returns when the next temporary rule ends, after `now`: both in ns of CLOCK_BOOTTIME. Returns 0 if none does. */
uint64_t decide_next_end(const struct image *image, uint64_t now);

/*
 * Returns true if the policy lets the binary of `request` accept on its port under no condition, and has no rule that lets it listen
 * there for others. Sets request->anyone.
 */
bool decide_never(const struct image *image, struct request *request);

/* Returns true if the policy lets the binary of `request` listen on its port, whoever the user is. Sets request->anyone. */
bool decide_listen(const struct image *image, struct request *request);

#endif
