/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stores policy images in the kernel: each is a frozen map, in one of the slots of the map `policy`. Replacing the reference in a slot
 * puts an image in force in one step.
 */
#ifndef SOCKACCEPT_IMAGE_STORE_H
#define SOCKACCEPT_IMAGE_STORE_H

#include <stdint.h>

#include "enforce/kernel/kernel.h"
#include "policy/image.h"

/* Stands for the slot of the policy in force, which changes when a trial ends. */
#define SLOT_IN_FORCE POLICY_SLOTS

/*
 * Sets *pages to the pages of the image in `slot`, to be freed, and *count to their number. Needs no lock: an image never changes.
 * Returns 0 or -errno.
 */
int image_read_slot(const struct kernel *kernel, uint32_t slot, struct policy_page **pages, uint32_t *count);

/* Sets *id to the id of the image in `slot`, or to 0 if the slot is empty. Returns 0 or -errno. */
int image_id(const struct kernel *kernel, uint32_t slot, uint32_t *id);

/* Puts `image` into `slot` in one step, and removes the image that was there. Needs the change lock. Returns 0 or -errno. */
int image_put(const struct kernel *kernel, uint32_t slot, const struct image *image);

/* Puts the image of slot `from` also into slot `to`. Needs the change lock. Returns 0 or -errno. */
int image_copy_slot(const struct kernel *kernel, uint32_t from, uint32_t to);

/* Makes a frozen map with a copy of the image in force, which no decision reads. Returns its descriptor, or -errno. */
int image_copy_in_force(const struct kernel *kernel);

#endif
