/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looks at each binary's path and each rule's user, and says why nothing is found there.
 */
#include "enforce/kernel/waiting.h"

#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/resolve.h"
#include "policy/text.h"
#include "policy/user.h"

static void add(struct waiting *waiting, struct waiting_entry entry)
{
	/* The room is full at 0 and at each power of two, and is doubled then. */
	if ((waiting->count & (waiting->count - 1)) == 0)
		waiting->list = must(reallocarray(waiting->list, waiting->count ? 2 * waiting->count : 1, sizeof(*waiting->list)));
	waiting->list[waiting->count++] = entry;
}

/* Returns why a binary waits whose path leads somewhere now, to be freed. `problem`, if there is one, begins with the path. */
static char *describe_found(const struct binary *binary, const char *problem)
{
	size_t prefix = strlen(binary->path) + strlen(": ");

	if (problem && strlen(problem) > prefix)
		return text_format("%s%s", strncmp(problem + prefix, "is ", 3) ? "" : "it ", problem + prefix);
	return text_format("something is there by now; run: sockaccept-ctl refresh");
}

static void look_at_binary(const struct policy *policy, size_t index, const char *problem, struct waiting *waiting)
{
	const struct binary *binary = &policy->binaries[index];
	_cleanup_free_ char *why = strcmp(binary->path, "any") ? resolve_why_nowhere(binary->path) : NULL;

	if (!why && binary->waits)
		why = describe_found(binary, problem);
	if (why && problem && !binary->waits)
		add(waiting, (struct waiting_entry){
				     .binary = index,
				     .why = text_format("%s; its rules still stand for %s", why, binary->resolved ?: binary->path),
				     .lost = true,
			     });
	else if (why)
		add(waiting, (struct waiting_entry){ .binary = index, .why = TAKE_PTR(why) });
}

static char *describe_user(struct user_cache *users, const char *name)
{
	if (user_may_come(users, name))
		return text_format("unknown user '%s'", name);
	return text_format("the user '%s' is known by now; run: sockaccept-ctl refresh", name);
}

/* Adds an entry for each binary and unknown user. The rules of one binary are side by side, temporary ones apart. */
static void look_at_users(const struct policy *policy, struct waiting *waiting)
{
	/* By user: 1 + the index of the binary that was added last. */
	_cleanup_free_ size_t *last = must(calloc(policy->unknown_user_count + 1, sizeof(*last)));
	struct user_cache users = { 0 };

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		const char *name = rule_unknown_user(policy, rule);

		if (!name || last[rule->unknown_user] == rule->binary + 1)
			continue;
		last[rule->unknown_user] = rule->binary + 1;
		add(waiting, (struct waiting_entry){ .binary = rule->binary, .why = describe_user(&users, name), .user = true });
	}
	user_cache_clear(&users);
}

void waiting_find(const struct policy *policy, char *const *problems, struct waiting *waiting)
{
	for (size_t i = 0; i < policy->binary_count; i++)
		look_at_binary(policy, i, problems ? problems[i] : NULL, waiting);
	if (policy->unknown_user_count)
		look_at_users(policy, waiting);
}

bool *waiting_binaries(const struct policy *policy, const struct waiting *waiting)
{
	bool *waits = must(calloc(policy->binary_count + 1, sizeof(*waits)));

	for (size_t i = 0; i < policy->binary_count; i++)
		waits[i] = policy->binaries[i].waits;
	for (size_t i = 0; i < waiting->count; i++)
		if (!waiting->list[i].user)
			waits[waiting->list[i].binary] = true;
	return waits;
}

void waiting_clear(struct waiting *waiting)
{
	for (size_t i = 0; i < waiting->count; i++)
		free(waiting->list[i].why);
	free(waiting->list);
	*waiting = (struct waiting){ 0 };
}
