/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Resolves the paths of rules anew, and compares what is found with what the rules stand for.
 */
#include "enforce/kernel/moved.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enforce/kernel/binaries.h"
#include "policy/cleanup.h"
#include "policy/resolve.h"
#include "policy/text.h"

void moved_resolve(struct policy *policy, char **problems)
{
	for (size_t i = 0; i < policy->binary_count; i++) {
		struct binary *binary = &policy->binaries[i];
		char *resolved = NULL;
		bool missing;

		if (!strcmp(binary->path, "any"))
			continue;
		problems[i] = resolve_path(binary->path, &resolved, &missing);
		if (problems[i])
			continue;
		free(binary->resolved);
		binary->resolved = resolved;
		binary->number = BINARY_ANY;
		binary->waits = false;
	}
}

/* Copies the paths and numbers of binaries, so that they can be resolved anew. */
static void copy_binaries(const struct policy *from, struct policy *to)
{
	policy_init(to);
	for (size_t i = 0; i < from->binary_count; i++) {
		size_t index = policy_binary(to, from->binaries[i].path);

		to->binaries[index].number = from->binaries[i].number;
	}
}

/* Returns what is wrong with a binary, to be freed, or NULL. `problem` is what was wrong with resolving its path, or NULL. */
static char *describe(const struct binary *then, const struct binary *now, const char *problem)
{
	const char *file = then->resolved ? then->resolved : then->path;

	if (then->waits)
		return NULL;
	if (problem)
		return text_format("%s; its rules still stand for %s", problem, file);
	if (then->number == now->number || !now->resolved)
		return NULL;
	if (strcmp(file, now->resolved) != 0)
		return text_format("%s leads to %s by now, and its rules still stand for %s; run: sockaccept-ctl refresh", then->path,
				   now->resolved, file);
	return text_format("%s is in another directory by now, and its rules still stand for the old one; run: "
			   "sockaccept-ctl refresh",
			   then->path);
}

static void add(struct moved *moved, char *text)
{
	moved->list = must(reallocarray(moved->list, moved->count + 1, sizeof(*moved->list)));
	moved->list[moved->count++] = text;
}

/* Returns true if this process may not look up the path. */
static bool may_not_look_up(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) && errno == EACCES;
}

enum status moved_find(const struct kernel *kernel, const struct policy *policy, struct moved *moved)
{
	_cleanup_free_ char **problems = must(calloc(policy->binary_count + 1, sizeof(*problems)));
	struct policy now;
	enum status status;

	copy_binaries(policy, &now);
	moved_resolve(&now, problems);
	status = find_binaries(kernel, &now, problems);
	waiting_find(policy, problems, &moved->waiting);
	for (size_t i = 0; i < policy->binary_count; i++) {
		char *text = describe(&policy->binaries[i], &now.binaries[i], problems[i]);

		free(problems[i]);
		if (text && moved->seen_only && may_not_look_up(policy->binaries[i].path))
			free(text);
		else if (text)
			add(moved, text);
	}
	policy_clear(&now);
	return status;
}

void moved_clear(struct moved *moved)
{
	for (size_t i = 0; i < moved->count; i++)
		free(moved->list[i]);
	free(moved->list);
	waiting_clear(&moved->waiting);
	*moved = (struct moved){ 0 };
}
