/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy image: a policy compiled into the pages that the kernel reads (bpf/shared/image.h).
 */
#ifndef SOCKACCEPT_IMAGE_H
#define SOCKACCEPT_IMAGE_H

#include "policy/policy.h"

/* Zero-initialised is empty. */
struct image {
	struct policy_page *pages;
	size_t count, room;
	uint32_t *index; /* finds equal pages; only image_table.c uses it */
	size_t index_room;
};

/*
 * Compiles `policy` into `image`. The policy must be normalised, and its binaries must have their numbers. An image for the kernel
 * also needs its rules' counters; one that is only asked (decide.h) does not.
 *
 * Returns 0. On error, `image` is empty; returns -E2BIG if there are more than MAX_RULES rules or MAX_TEMPORARIES temporary ones, and
 * -EINVAL for a number out of range, a binary without a number, an unknown user with a uid, a `listen` with a user or an end, and
 * rules of one binary that are not side by side. Aborts without memory.
 */
int image_build(const struct policy *policy, struct image *image);

/*
 * Reads the policy that `pages` were compiled from into `policy`, which it clears first. An image has no resolved paths: `resolved`
 * stays NULL. Returns 0, or -EPROTO if the pages are not an image of this layout.
 */
int image_read(const struct policy_page *pages, size_t count, struct policy *policy);

/* Returns true if `pages` are an image of this layout with a valid header. */
bool image_is_valid(const struct policy_page *pages, size_t count);

/* Frees what it holds, and leaves it empty. */
void image_clear(struct image *image);
#define _cleanup_image_ __attribute__((cleanup(image_clear)))

#endif
