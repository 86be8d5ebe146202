/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads lists of ports and of users from the command line.
 */
#include "enforce/base/items.h"

#include <string.h>

#include "policy/cleanup.h"
#include "policy/grow.h"
#include "policy/port.h"
#include "policy/text.h"

static enum status add_port(struct port_items *items, const char *text)
{
	struct port_item item;
	const char *problem = port_parse(text, &item);

	if (problem)
		return fail(STATUS_USAGE, "port '%s': %s", text, problem);
	if (!port_is_among(&item, items->list, items->count))
		APPEND(items->list, items->count, item);
	return STATUS_DONE;
}

enum status port_items_read(struct port_items *items, const char *text)
{
	_cleanup_free_ char *copy = text ? must(strdup(text)) : NULL;
	enum status status = STATUS_DONE;
	char *rest = copy, *item;

	while (status == STATUS_DONE && (item = strsep(&rest, ",")))
		status = add_port(items, item);
	return status;
}

enum status user_items_read(struct user_items *items, const char *text)
{
	_cleanup_free_ char *copy = text ? must(strdup(text)) : NULL;
	struct user_cache cache = { 0 };
	enum status status = STATUS_DONE;
	char *rest = copy, *item;

	while (status == STATUS_DONE && (item = text_next_item(&rest))) {
		_cleanup_free_ char *problem = user_items_add(items, &cache, item);

		if (problem)
			status = fail(STATUS_USAGE, "%s", problem);
	}
	user_cache_clear(&cache);
	return status;
}
