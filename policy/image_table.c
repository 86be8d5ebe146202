/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Builds the tables that find the rule for a port.
 *
 * For each cell's range of ports, the rules are tried in the order of their rank. If the first one that touches the range covers it,
 * it is the answer; if not, the cell gets a table one level down. Equal pages are stored once.
 */
#include "policy/image_table.h"

#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/numbers.h"

uint32_t image_append_pages(struct image *image, size_t count)
{
	size_t first = image->count;

	if (image->count + count > image->room) {
		image->room = 2 * image->room > image->count + count ? 2 * image->room : image->count + count + 16;
		image->pages = must(reallocarray(image->pages, image->room, sizeof(*image->pages)));
	}
	memset(&image->pages[first], 0, count * sizeof(*image->pages));
	image->count += count;
	return (uint32_t)first;
}

static size_t page_hash(const struct policy_page *page)
{
	uint64_t hash = 14695981039346656037ULL; /* FNV-1a, a word at a time */

	for (size_t i = 0; i < PAGE_CELLS; i++)
		hash = (hash ^ page->cell[i]) * 1099511628211ULL;
	return (size_t)(hash ^ hash >> 32);
}

/* Returns the place of `page` in the index, or the free place for it. */
static uint32_t *index_place(const struct image *image, const struct policy_page *page)
{
	size_t place = page_hash(page) & (image->index_room - 1);

	while (image->index[place] && memcmp(&image->pages[image->index[place]], page, sizeof(*page)) != 0)
		place = (place + 1) & (image->index_room - 1);
	return &image->index[place];
}

static void grow_index(struct image *image)
{
	uint32_t *old = image->index;
	size_t old_room = image->index_room;

	image->index_room = old_room ? 2 * old_room : 1024;
	image->index = must(calloc(image->index_room, sizeof(*image->index)));
	for (size_t i = 0; i < old_room; i++)
		if (old[i])
			*index_place(image, &image->pages[old[i]]) = old[i];
	free(old);
}

uint32_t image_intern_page(struct image *image, const struct policy_page *page)
{
	uint32_t *place;

	if (2 * image->count >= image->index_room)
		grow_index(image);
	place = index_place(image, page);
	if (!*place) {
		uint32_t number = image_append_pages(image, 1);

		image->pages[number] = *page;
		*place = number;
	}
	return *place;
}

struct span span_of(const struct port_item *port, uint32_t cell)
{
	return (struct span){ port->first, port->first ? port->last : PORT_BEYOND, cell };
}

/* Copies the spans that touch [first, last] to `touching`, up to the first one that covers it. Returns how many. */
static size_t filter_spans(const struct span *spans, size_t count, uint32_t first, uint32_t last, struct span *touching)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		if (spans[i].last < first || spans[i].first > last)
			continue;
		touching[found++] = spans[i];
		if (spans[i].first <= first && spans[i].last >= last)
			break;
	}
	return found;
}

static uint32_t build_table(struct image *image, const struct span *spans, size_t count, uint32_t base, unsigned shift);

/* Returns the cell for the ports [first, first + 2^shift). */
static uint32_t build_cell(struct image *image, const struct span *spans, size_t count, uint32_t first, unsigned shift,
			   struct span *scratch)
{
	uint32_t last = first + (1U << shift) - 1;
	size_t touching = filter_spans(spans, count, first, last, scratch);

	if (!touching)
		return 0;
	if (scratch[0].first <= first && scratch[0].last >= last)
		return scratch[0].cell;
	return CELL_TABLE | build_table(image, scratch, touching, first, shift - 6);
}

/* Returns the page of the table for ports from `base` on, with 2^shift ports a cell. `spans` has the highest rank first. */
static uint32_t build_table(struct image *image, const struct span *spans, size_t count, uint32_t base, unsigned shift)
{
	struct policy_page page = { 0 };
	struct span *scratch = must(calloc(count, sizeof(*scratch)));

	for (uint32_t i = 0; i < PAGE_CELLS; i++)
		page.cell[i] = build_cell(image, spans, count, base + (i << shift), shift, scratch);
	free(scratch);
	return image_intern_page(image, &page);
}

void image_build_root(struct image *image, const struct span *spans, size_t count, uint32_t *root)
{
	struct span *scratch = must(calloc(count + 1, sizeof(*scratch)));

	for (uint32_t i = 0; i < PORT_BEYOND_CELL; i++)
		root[i] = build_cell(image, spans, count, i << PORT_TOP_SHIFT, PORT_TOP_SHIFT, scratch);
	root[PORT_BEYOND_CELL] = build_cell(image, spans, count, PORT_BEYOND, 0, scratch);
	free(scratch);
}

size_t group_uids(const struct group *group, uint32_t **uids)
{
	size_t count = 0;

	*uids = must(calloc(group->count, sizeof(**uids)));
	for (size_t i = 0; i < group->count; i++)
		if (group->rules[i]->has_uid)
			(*uids)[count++] = group->rules[i]->uid;
	return numbers_sort(*uids, count);
}
