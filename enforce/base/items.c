/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists of ports and of users on the command line.
 */
#include "enforce/base/items.h"

#include <string.h>

#include "policy/cleanup.h"
#include "policy/port.h"
#include "policy/text.h"
#include "policy/user.h"

static enum status add_port(struct port_items *items, const char *text)
{
	struct port_item item;
	const char *problem = port_parse(text, &item);

	if (problem)
		return fail(STATUS_USAGE, "port '%s': %s", text, problem);
	for (size_t i = 0; i < items->count; i++)
		if (port_equal(&items->list[i], &item))
			return STATUS_DONE;
	items->list = must(reallocarray(items->list, items->count + 1, sizeof(*items->list)));
	items->list[items->count++] = item;
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

static enum status add_user(struct user_items *items, struct user_cache *cache, const char *text)
{
	uint32_t uid = 0;
	_cleanup_free_ char *problem = user_read(cache, text, &uid);

	if (problem)
		return fail(STATUS_USAGE, "%s", problem);
	for (size_t i = 0; i < items->count; i++)
		if (items->list[i] == uid)
			return STATUS_DONE;
	items->list = must(reallocarray(items->list, items->count + 1, sizeof(*items->list)));
	items->words = must(reallocarray(items->words, items->count + 1, sizeof(*items->words)));
	items->words[items->count] = must(strdup(text));
	items->list[items->count++] = uid;
	return STATUS_DONE;
}

enum status user_items_read(struct user_items *items, const char *text)
{
	_cleanup_free_ char *copy = text ? must(strdup(text)) : NULL;
	struct user_cache cache = { 0 };
	enum status status = STATUS_DONE;
	char *rest = copy, *item;

	while (status == STATUS_DONE && (item = strsep(&rest, ",")))
		status = add_user(items, &cache, text_trim(item));
	user_cache_clear(&cache);
	return status;
}

void user_items_clear(struct user_items *items)
{
	for (size_t i = 0; i < items->count; i++)
		free(items->words[i]);
	free(items->words);
	free(items->list);
	*items = (struct user_items){ 0 };
}
