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
	struct rule_edit rules;
	char *resolved; /* the binary's path; NULL: any */
	struct port_items ports; /* what rules.ports and rules.uids point to */
	struct user_items users;
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
	edit->rules.path = path;
	if (!strcmp(path, "any"))
		return STATUS_DONE;
	unresolved = resolve_path(path, &edit->resolved, &missing);
	/* What can't be found any more can still be removed, by the path that its rules give. */
	if (unresolved && !edit->rules.remove)
		return fail(STATUS_FAILED, "%s", unresolved);
	if (missing && !edit->rules.remove)
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

	edit->rules.remove = !strcmp(invocation->verb->name, "remove");
	edit->rules.verdict = strcmp(invocation->verb->name, "deny") ? VERDICT_ALLOW : VERDICT_DENY;
	for (int i = 1; i < invocation->count && status == STATUS_DONE; i++)
		status = port_items_read(&edit->ports, invocation->arguments[i]);
	if (status == STATUS_DONE)
		status = user_items_read(&edit->users, invocation->given[OPTION_USER]);
	if (status == STATUS_DONE)
		status = read_time(invocation->given[OPTION_FOR], &edit->rules.until);
	if (status == STATUS_DONE)
		status = read_binary(invocation->arguments[0], edit);
	edit->rules.ports = edit->ports.list;
	edit->rules.port_count = edit->ports.count;
	edit->rules.uids = edit->users.list;
	edit->rules.uid_count = edit->users.count;
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

	*index = policy_binary(policy, edit->rules.path);
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
		     edit->rules.path, edit->resolved);
	return status;
}

static enum status add_rules(struct kernel *kernel, struct policy *policy, void *data, bool *changed)
{
	const struct edit *edit = data;
	size_t binary;
	enum status status = bind_binary(kernel, policy, edit, &binary, changed);

	for (size_t i = 0; i < rule_edit_count(&edit->rules) && status == STATUS_DONE; i++)
		if (rule_edit_apply(&edit->rules, policy, binary, i))
			*changed = true;
	return status;
}

static enum status refuse_removal(const struct rule_edit *edit, const struct rule *rule)
{
	char item[PORT_TEXT_MAX], of_port[sizeof(item) + 16] = "", of_user[32] = "";

	if (edit->port_count)
		snprintf(of_port, sizeof(of_port), " for port %s", port_format(&rule->port, item));
	if (edit->uid_count)
		snprintf(of_user, sizeof(of_user), " of user %u", rule->uid);
	return fail(STATUS_FAILED, "%s has no rule%s%s, so nothing was removed; see: sockaccept-ctl list", edit->path,
		    of_port, of_user);
}

static enum status remove_rules(struct kernel *kernel, struct policy *policy, void *data, bool *changed)
{
	const struct edit *edit = data;
	size_t binary = policy_binary(policy, edit->rules.path);

	(void)kernel;
	if (edit->resolved && !policy->binaries[binary].resolved)
		policy->binaries[binary].resolved = must(strdup(edit->resolved));
	for (size_t i = 0; i < rule_edit_count(&edit->rules); i++) {
		struct rule rule = rule_edit_rule(&edit->rules, binary, i);

		if (!rule_edit_apply(&edit->rules, policy, binary, i))
			return refuse_removal(&edit->rules, &rule);
	}
	*changed = true;
	return STATUS_DONE;
}

static enum status save(void *data)
{
	struct edit *edit = data;
	enum status status = edit->save ? local_rules_prepare(&edit->rules, &edit->saved) : STATUS_DONE;

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

	if (status == STATUS_DONE && edit.save && edit.rules.until)
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
