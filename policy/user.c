/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads users, for policy files and for the command line.
 */
#include "policy/user.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/cleanup.h"
#include "policy/grow.h"
#include "policy/numbers.h"
#include "policy/text.h"

struct known_user {
	char *name;
	int error; /* errno of the look-up; 0: known */
	uint32_t uid;
};

static const struct known_user *look_up(struct user_cache *cache, const char *name)
{
	struct known_user user = { 0 };
	struct passwd *entry;

	for (size_t i = 0; i < cache->count; i++)
		if (strcmp(cache->list[i].name, name) == 0)
			return &cache->list[i];
	errno = 0;
	entry = getpwnam(name);
	if (entry)
		user.uid = entry->pw_uid;
	else
		user.error = errno ? errno : ENOENT;
	user.name = must(strdup(name));
	APPEND(cache->list, cache->count, user);
	return &cache->list[cache->count - 1];
}

/* Returns true for the errors by which getpwnam() says that there is no such name. Any other means that it couldn't find out. */
static bool is_unknown(int error)
{
	return error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

static char *read_name(struct user_cache *cache, const char *text, uint32_t *uid)
{
	const struct known_user *user;

	if (strpbrk(text, " \t"))
		return text_format("user '%s': a name has no blanks in it; put a comma between two", text);
	user = look_up(cache, text);
	if (!user->error) {
		*uid = user->uid;
		return NULL;
	}
	if (!is_unknown(user->error))
		return text_format("user '%s' cannot be looked up: %s; give the numeric id", text, strerror(user->error));
	if (strcasecmp(text, "any") == 0)
		return text_format("unknown user '%s'; a rule without 'user' is for all users", text);
	return text_format("unknown user '%s'; create it, or give its numeric id", text);
}

static char *read_id(const char *text, uint32_t *uid)
{
	unsigned long long number = strtoull(text, NULL, 10);

	/* The highest number is (uid_t)-1, which is no user. */
	if (strlen(text) > 10 || (text[0] == '0' && text[1]) || number >= UINT32_MAX)
		return text_format("user id %s is none; ids go from 0 to 4294967294", text);
	*uid = (uint32_t)number;
	return NULL;
}

char *user_read(struct user_cache *cache, const char *text, uint32_t *uid)
{
	bool number = *text && !text[strspn(text, "0123456789")];

	return number ? read_id(text, uid) : read_name(cache, text, uid);
}

bool user_is_known(struct user_cache *cache, const char *text)
{
	uint32_t uid;
	char *problem = user_read(cache, text, &uid);
	bool known = !problem;

	free(problem);
	return known;
}

bool user_may_come(struct user_cache *cache, const char *text)
{
	if (!text[strspn(text, "0123456789")] || strpbrk(text, " \t") || !strcasecmp(text, "any"))
		return false;
	return look_up(cache, text)->error != 0;
}

void user_cache_clear(struct user_cache *cache)
{
	for (size_t i = 0; i < cache->count; i++)
		free(cache->list[i].name);
	free(cache->list);
	*cache = (struct user_cache){ 0 };
}

char *user_items_add(struct user_items *items, struct user_cache *cache, const char *text)
{
	uint32_t uid = 0;
	char *problem = user_read(cache, text, &uid);
	size_t words = items->count;

	if (problem || numbers_have(items->list, items->count, uid))
		return problem;
	APPEND(items->words, words, must(strdup(text)));
	APPEND(items->list, items->count, uid);
	return NULL;
}

void user_items_clear(struct user_items *items)
{
	for (size_t i = 0; i < items->count; i++)
		free(items->words[i]);
	free(items->words);
	free(items->list);
	*items = (struct user_items){ 0 };
}
