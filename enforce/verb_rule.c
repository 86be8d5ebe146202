/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * allow, deny, remove: one rule of the live policy at a time, and mode.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/items.h"
#include "enforce/kernel.h"
#include "enforce/live.h"
#include "enforce/local_rules.h"
#include "enforce/verb.h"
#include "enforce/when.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/port.h"
#include "policy/resolve.h"

#define FOR_SECONDS_MAX (366 * 86400LL)

/* What the command line asks for. */
struct edit {
	const struct verb *verb;
	const char *path;  /* of the binary, or "any" */
	char *resolved;    /* NULL: any */
	struct port_items ports; /* none: remove all rules of the binary */
	struct user_items users; /* none: no such condition */
	uint64_t until;    /* when the rules end, ns since boot; 0: they last */
	bool save;
	struct local_rules saved;
};

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

/* `12h` from now on. */
static enum status read_time(const char *text, uint64_t *until)
{
	int64_t seconds = text ? when_parse_length(text) : 0;

	if (!text)
		return STATUS_DONE;
	if (seconds < 1 || seconds > FOR_SECONDS_MAX)
		return fail(STATUS_USAGE, "--for '%s': write for how long, such as 90s, 10m, 12h, 1h30m or 2d, and a year at most", text);
	*until = (uint64_t)when_now().boot + (uint64_t)seconds * 1000000000;
	return STATUS_DONE;
}

static enum status read_edit(const struct invocation *invocation, struct edit *edit)
{
	enum status status = STATUS_DONE;

	edit->verb = invocation->verb;
	for (int i = 1; i < invocation->count && status == STATUS_DONE; i++)
		status = port_items_read(&edit->ports, invocation->arguments[i]);
	if (status == STATUS_DONE)
		status = user_items_read(&edit->users, invocation->given[OPTION_USER]);
	if (status == STATUS_DONE)
		status = read_time(invocation->given[OPTION_FOR], &edit->until);
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

static enum status add_rules(struct kernel *kernel, struct policy *policy, void *data, bool *changed)
{
	const struct edit *edit = data;
	struct rule rule = {
		.section = CLI_SECTION,
		.verdict = strcmp(edit->verb->name, "deny") ? VERDICT_ALLOW : VERDICT_DENY,
		.has_uid = edit->users.count > 0,
		.counter = COUNTER_NONE,
		.until = edit->until,
	};
	size_t users = edit->users.count ? edit->users.count : 1;
	enum status status = bind_binary(kernel, policy, edit, &rule.binary, changed);

	for (size_t i = 0; i < edit->ports.count * users && status == STATUS_DONE; i++) {
		rule.port = edit->ports.list[i / users];
		rule.uid = rule.has_uid ? edit->users.list[i % users] : 0;
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

static enum status remove_rules(struct kernel *kernel, struct policy *policy, void *data, bool *changed)
{
	const struct edit *edit = data;
	size_t binary = policy_binary(policy, edit->path);
	size_t ports = edit->ports.count ? edit->ports.count : 1, users = edit->users.count ? edit->users.count : 1;

	(void)kernel;
	if (edit->resolved && !policy->binaries[binary].resolved) {
		policy->binaries[binary].resolved = strdup(edit->resolved);
		if (!policy->binaries[binary].resolved)
			abort();
	}
	for (size_t i = 0; i < ports * users; i++) {
		const struct port_item *port = edit->ports.count ? &edit->ports.list[i / users] : NULL;
		const uint32_t *uid = edit->users.count ? &edit->users.list[i % users] : NULL;

		if (!policy_remove(policy, binary, port, uid))
			return refuse_removal(edit, port, uid);
	}
	*changed = true;
	return STATUS_DONE;
}

static enum status save(void *data)
{
	struct edit *edit = data;
	const struct ini_edit lines = {
		.path = edit->path,
		.ports = edit->ports.list,
		.port_count = edit->ports.count,
		.uids = edit->users.list,
		.uid_count = edit->users.count,
		.remove = !strcmp(edit->verb->name, "remove"),
		.verdict = strcmp(edit->verb->name, "deny") ? VERDICT_ALLOW : VERDICT_DENY,
	};
	enum status status = STATUS_DONE;

	if (edit->save)
		status = local_rules_prepare(&lines, &edit->saved);
	return edit->save && status == STATUS_DONE ? local_rules_write(&edit->saved) : status;
}

static void undo_save(void *data)
{
	struct edit *edit = data;

	local_rules_undo(&edit->saved);
}

static void print_result(const struct edit *edit, bool changed, uint64_t generation)
{
	const char *saved = edit->saved.written ? "; saved in " LOCAL_RULES_FILE : edit->save ? "; " LOCAL_RULES_FILE " says so already" : "";

	if (changed)
		printf("Done: generation %" PRIu64 "%s.\n", generation, saved);
	else
		printf("Nothing to do: the live policy says so already%s.\n", saved);
}

enum status verb_rule(const struct invocation *invocation)
{
	struct edit edit = { .save = invocation->given[OPTION_SAVE] };
	const struct live_edit change = {
		.change = strcmp(invocation->verb->name, "remove") ? add_rules : remove_rules,
		.commit = save,
		.undo = undo_save,
		.data = &edit,
		.force = invocation->given[OPTION_FORCE],
	};
	uint64_t generation = 0;
	bool changed = false;
	enum status status = read_edit(invocation, &edit);

	if (status == STATUS_DONE && edit.save && edit.until)
		status = fail(STATUS_USAGE, "no file has temporary rules; give --save or --for");
	if (status == STATUS_DONE)
		status = live_change(&change, &generation, &changed);
	if (status == STATUS_DONE)
		print_result(&edit, changed, generation);
	local_rules_clear(&edit.saved);
	free(edit.resolved);
	free(edit.ports.list);
	free(edit.users.list);
	return status;
}

static enum status set_mode(struct kernel *kernel, struct policy *policy, void *data, bool *changed)
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
	const struct live_edit change = { .change = set_mode, .data = &mode, .force = invocation->given[OPTION_FORCE] };
	uint64_t generation = 0;
	bool changed = false;
	enum status status;

	if (mode == MODE_ENFORCE && strcmp(word, "enforce") != 0)
		return fail(STATUS_USAGE, "unknown mode `%s`; it is `enforce` or `permissive`", word);
	status = live_change(&change, &generation, &changed);
	if (status == STATUS_DONE)
		printf("Mode %s: generation %" PRIu64 ".\n", word, generation);
	return status;
}
