/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables for listen(2): ports on which a binary may listen, though users whom no rule names may not accept there. Only
 * image_build.c includes this.
 */
#ifndef SOCKACCEPT_IMAGE_LISTEN_H
#define SOCKACCEPT_IMAGE_LISTEN_H

#include "policy/image_table.h"

/*
 * Fills in `listen` of the binaries' entries. `groups` has the lasting rules of each binary, one group each, the group of `any` last.
 * The entries and the policy's default must be in `image` already. Aborts without memory.
 */
void image_build_listen(struct image *image, const struct group *groups, size_t count);

#endif
