/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A name is kept at the place that the low bits of its number give, until another number needs the place.
 */
#include "enforce/records/names.h"

#include <bpf/bpf.h>
#include <string.h>

#include "enforce/kernel/entries.h"
#include "enforce/records/unit.h"
#include "policy/cleanup.h"

static void forget(struct kept_name *kept)
{
	for (size_t i = 0; i < NAMES_KEPT; i++) {
		free(kept[i].text);
		kept[i].text = NULL;
	}
}

/* Returns the place of `number`, and empties it if another number has it. */
static struct kept_name *place_of(struct kept_name *kept, uint64_t number)
{
	struct kept_name *place = &kept[number & (NAMES_KEPT - 1)];

	if (place->number != number) {
		free(place->text);
		*place = (struct kept_name){ .number = number };
	}
	return place;
}

/* Asks the kernel for the path: an event of repeats has only the number of its binary. */
static const char *seen_path(struct names *names, uint32_t binary)
{
	if (bpf_map_lookup_elem(names->kernel->fd[MAP_SEEN_PATHS], &binary, &names->seen) || !names->seen.path.length)
		return NULL;
	return names->seen.path.path;
}

const char *names_binary(struct names *names, const struct event *event)
{
	struct kept_name *place;

	if (event->differ & DIFFER_BINARY || event->flags & EVENT_PATH_HINT)
		return NULL;
	if (event->binary & BINARY_UNNAMED)
		return event->path.length ? event->path.path : seen_path(names, event->binary);
	/* With another policy, a number can stand for another path. */
	if (names->generation != event->generation)
		forget(names->paths);
	names->generation = event->generation;
	place = place_of(names->paths, event->binary);
	if (!place->text)
		place->text = identified_path(names->kernel, event->binary);
	return place->text;
}

const char *names_unit(struct names *names, const struct event *event)
{
	struct kept_name *place;
	char name[sizeof(struct unit)];

	if (!event->unit || event->differ & DIFFER_UNIT)
		return NULL;
	place = place_of(names->units, event->unit);
	if (!place->text && unit_name(names->kernel, event->unit, name))
		place->text = must(strdup(name));
	return place->text;
}

void names_clear(struct names *names)
{
	forget(names->paths);
	forget(names->units);
}
