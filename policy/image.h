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
	uint32_t *index; /* finds equal pages; image_build()'s own */
	size_t index_room;
};

/*
 * Compiles `policy`, normalised and with its binaries' numbers set, into `image`. For the kernel its rules' counters are set
 * too; an image that is only asked needs none.
 * Returns 0; -E2BIG: more than MAX_RULES rules, or MAX_TEMPORARIES temporary ones; -EINVAL: a number out of range, a binary
 * without one, an unknown user that has a uid, `listen` with a user or an end, or rules of one binary apart from each other. `image`
 * is then empty.
 * Aborts without memory.
 */
int image_build(const struct policy *policy, struct image *image);

/*
 * The inverse: the policy that `pages` were compiled from, into `policy` (cleared first; `resolved` isn't
 * in an image and stays NULL). Returns 0, or -EPROTO if they are not an image of this layout.
 */
int image_read(const struct policy_page *pages, size_t count, struct policy *policy);

/* True if `pages` are an image of this layout, whose header is right. */
bool image_is_valid(const struct policy_page *pages, size_t count);

/* Frees what it holds and leaves it empty. */
void image_clear(struct image *image);

#endif
