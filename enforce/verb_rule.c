/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * allow, deny, remove: one rule of the live policy at a time, and mode.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/kernel.h"
#include "enforce/live.h"
#include "enforce/verb.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/port.h"
#include "policy/resolve.h"
#include "policy/text.h"
#include "policy/user.h"

/* What the command line asks for. */
struct edit {
	const struct verb *verb;
	const char *path;  /* of the binary, or "any" */
	char *resolved;    /* NULL: any */
	struct port_item *ports;
	size_t port_count; /* 0: remove all rules of the binary */
	uint32_t *uids;
	size_t uid_count;  /* 0: no such condition */
};

/* Adds one item, unless it was given already. */
static enum status read_port(const char *text, struct edit *edit)
{
	struct port_item item;
	const char *problem = port_parse(text, &item);

	if (problem)
		return fail(STATUS_USAGE, "port '%s': %s", text, problem);
	for (size_t i = 0; i < edit->port_count; i++)
		if (port_equal(&edit->ports[i], &item))
			return STATUS_DONE;
	edit->ports = reallocarray(edit->ports, edit->port_count + 1, sizeof(*edit->ports));
	if (!edit->ports)
		abort();
	edit->ports[edit->port_count++] = item;
	return STATUS_DONE;
}

/* Each argument is an item, or several with commas, as in a policy file. */
static enum status read_ports(const struct invocation *invocation, struct edit *edit)
{
	for (int i = 1; i < invocation->count; i++) {
		_cleanup_free_ char *copy = strdup(invocation->arguments[i]);
		char *rest = copy, *text;

		while (copy && (text = strsep(&rest, ","))) {
			enum status status = read_port(text, edit);

			if (status != STATUS_DONE)
				return status;
		}
	}
	return STATUS_DONE;
}

/* Adds one user, unless it was given already. */
static enum status read_user(struct user_cache *cache, const char *text, struct edit *edit)
{
	uint32_t uid = 0;
	_cleanup_free_ char *problem = user_read(cache, text, &uid);

	if (problem)
		return fail(STATUS_USAGE, "%s", problem);
	for (size_t i = 0; i < edit->uid_count; i++)
		if (edit->uids[i] == uid)
			return STATUS_DONE;
	edit->uids = must(reallocarray(edit->uids, edit->uid_count + 1, sizeof(*edit->uids)));
	edit->uids[edit->uid_count++] = uid;
	return STATUS_DONE;
}

/* One, or several with commas, as in a policy file. */
static enum status read_users(const char *list, struct edit *edit)
{
	_cleanup_free_ char *copy = must(strdup(list ? list : ""));
	char *rest = list ? copy : NULL, *text;
	struct user_cache cache = { 0 };
	enum status status = STATUS_DONE;

	while (status == STATUS_DONE && (text = strsep(&rest, ",")))
		status = read_user(&cache, text_trim(text), edit);
	user_cache_clear(&cache);
	return status;
}

static enum status read_binary(const char *path, struct edit *edit)
{
	_cleanup_free_ char *problem = ini_check_path(path);
	_cleanup_free_ char *unresolved = NULL;
	bool missing = false;

	if (problem)
		return fail(STATUS_USAGE, "%s", problem);
	edit->path = path;
	if (!strcmp(path, "any"))
		return STATUS_DONE;
	unresolved = resolve_path(path, &edit->resolved, &missing);
	/* What can't be found any more can still be removed, by the path that its rules give. */
	if (unresolved && strcmp(edit->verb->name, "remove") != 0)
		return fail(STATUS_FAILED, "%s", unresolved);
	if (missing && strcmp(edit->verb->name, "remove") != 0)
		warn("%s: no such file yet; the rule waits for it", path);
	return STATUS_DONE;
}

static enum status read_edit(const struct invocation *invocation, struct edit *edit)
{
	enum status status;

	edit->verb = invocation->verb;
	status = read_ports(invocation, edit);
	if (status == STATUS_DONE)
		status = read_users(invocation->user, edit);
	if (status == STATUS_DONE)
		status = read_binary(invocation->arguments[0], edit);
	return status;
}

/*
 * The edit's binary in `policy`, as index, bound to the entry that its path stands for now: what a link points to,
 * or the directory itself, may have been replaced since its first rule was made. *moved: it was.
 */
static enum status bind_binary(struct kernel *kernel, struct policy *policy, const struct edit *edit, size_t *index,
			       bool *moved)
{
	struct binary *binary;
	uint32_t before;
	enum status status;

	*index = policy_binary(policy, edit->path);
	binary = &policy->binaries[*index];
	before = binary->number;
	if (!edit->resolved)
		return STATUS_DONE;
	free(binary->resolved);
	binary->resolved = strdup(edit->resolved);
	if (!binary->resolved)
		abort();
	binary->number = BINARY_ANY;
	status = give_binaries(kernel, policy, NULL);
	*moved = before != BINARY_ANY && binary->number != before;
	if (status == STATUS_DONE && *moved)
		warn("%s is another directory entry than when its first rule was made; all its rules now stand for %s",
		     edit->path, edit->resolved);
	return status;
}

static enum status add_rules(struct kernel *kernel, struct policy *policy, const void *data, bool *changed)
{
	const struct edit *edit = data;
	struct rule rule = {
		.section = CLI_SECTION,
		.verdict = strcmp(edit->verb->name, "deny") ? VERDICT_ALLOW : VERDICT_DENY,
		.has_uid = edit->uid_count > 0,
		.counter = COUNTER_NONE,
	};
	size_t users = edit->uid_count ? edit->uid_count : 1;
	enum status status = bind_binary(kernel, policy, edit, &rule.binary, changed);

	for (size_t i = 0; i < edit->port_count * users && status == STATUS_DONE; i++) {
		rule.port = edit->ports[i / users];
		rule.uid = rule.has_uid ? edit->uids[i % users] : 0;
		if (policy_replace(policy, &rule))
			*changed = true;
	}
	return status;
}

static enum status refuse_removal(const struct edit *edit, const struct port_item *port, const uint32_t *uid)
{
	char item[PORT_TEXT_MAX], of_port[sizeof(item) + 16] = "", of_user[32] = "";

	if (port)
		snprintf(of_port, sizeof(of_port), " for port %s", port_format(port, item));
	if (uid)
		snprintf(of_user, sizeof(of_user), " of user %u", *uid);
	return fail(STATUS_FAILED, "%s has no rule%s%s, so nothing was removed; see: sockaccept-ctl list", edit->path,
		    of_port, of_user);
}

static enum status remove_rules(struct kernel *kernel, struct policy *policy, const void *data, bool *changed)
{
	const struct edit *edit = data;
	size_t binary = policy_binary(policy, edit->path);
	size_t ports = edit->port_count ? edit->port_count : 1, users = edit->uid_count ? edit->uid_count : 1;

	(void)kernel;
	if (edit->resolved && !policy->binaries[binary].resolved) {
		policy->binaries[binary].resolved = strdup(edit->resolved);
		if (!policy->binaries[binary].resolved)
			abort();
	}
	for (size_t i = 0; i < ports * users; i++) {
		const struct port_item *port = edit->port_count ? &edit->ports[i / users] : NULL;
		const uint32_t *uid = edit->uid_count ? &edit->uids[i % users] : NULL;

		if (!policy_remove(policy, binary, port, uid))
			return refuse_removal(edit, port, uid);
	}
	*changed = true;
	return STATUS_DONE;
}

enum status verb_rule(const struct invocation *invocation)
{
	struct edit edit = { 0 };
	uint64_t generation = 0;
	bool changed = false;
	enum status status = read_edit(invocation, &edit);

	if (status == STATUS_DONE)
		status = live_change(strcmp(invocation->verb->name, "remove") ? add_rules : remove_rules, &edit, &generation,
				     &changed);
	if (status == STATUS_DONE && changed)
		printf("Done: generation %" PRIu64 ".\n", generation);
	else if (status == STATUS_DONE)
		printf("Nothing to do: the live policy says so already.\n");
	free(edit.resolved);
	free(edit.ports);
	free(edit.uids);
	return status;
}

static enum status set_mode(struct kernel *kernel, struct policy *policy, const void *data, bool *changed)
{
	const enum mode *mode = data;

	(void)kernel;
	*changed = policy->mode != *mode;
	policy->mode = *mode;
	return STATUS_DONE;
}

enum status verb_mode(const struct invocation *invocation)
{
	const char *word = invocation->arguments[0];
	enum mode mode = strcmp(word, "permissive") ? MODE_ENFORCE : MODE_PERMISSIVE;
	uint64_t generation = 0;
	bool changed = false;
	enum status status;

	if (mode == MODE_ENFORCE && strcmp(word, "enforce") != 0)
		return fail(STATUS_USAGE, "unknown mode `%s`; it is `enforce` or `permissive`", word);
	status = live_change(set_mode, &mode, &generation, &changed);
	if (status == STATUS_DONE)
		printf("Mode %s: generation %" PRIu64 ".\n", word, generation);
	return status;
}
