/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Builds the tables of an image. Only image_build.c, image_listen.c and image_table.c include this.
 */
#ifndef SOCKACCEPT_IMAGE_TABLE_H
#define SOCKACCEPT_IMAGE_TABLE_H

#include "policy/image.h"

/* All ports above 65535, as one. */
#define PORT_BEYOND 0x10000

/* A range of ports as a table is built from it. */
struct span {
	uint32_t first, last; /* up to PORT_BEYOND, both included */
	uint32_t cell;        /* what the table says for these ports; not 0 */
};

/* The rules of one binary, in the order of the image: those that decide first, and of them the highest rank first. */
struct group {
	uint32_t binary; /* its number */
	const struct rule **rules;
	size_t count;
};

/* Sets *uids, to be freed, to the distinct users of the group's rules, sorted. Returns how many there are. Aborts without memory. */
size_t group_uids(const struct group *group, uint32_t **uids);

/* Returns the ports of a rule, with this cell. */
struct span span_of(const struct port_item *port, uint32_t cell);

/* Appends `count` zeroed pages. Returns the number of the first. Aborts without memory. */
uint32_t image_append_pages(struct image *image, size_t count);

/*
 * Returns the number of a page equal to `page`, and adds one if there is none. Page 0 is the header, so 0 can mean none. Aborts
 * without memory.
 */
uint32_t image_intern_page(struct image *image, const struct policy_page *page);

/*
 * Fills in the PORT_ROOT_CELLS cells at `root`, and adds the pages below them. Where spans overlap, the first one counts.
 * `root` must not be in the image, whose pages move. Aborts without memory.
 */
void image_build_root(struct image *image, const struct span *spans, size_t count, uint32_t *root);

#endif
