/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * allow, deny, remove: one rule of the live policy at a time.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "enforce/base/items.h"
#include "enforce/base/when.h"
#include "enforce/change/edit.h"
#include "enforce/change/local_rules.h"
#include "enforce/change/overruled.h"
#include "enforce/kernel/binaries.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/live.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/port.h"
#include "policy/program.h"
#include "policy/resolve.h"
#include "policy/user.h"

#define FOR_SECONDS_MAX (366 * 86400LL)

/* What the command line asks for. */
struct edit {
	struct rule_edit rules;
	struct rule_edit parts[2]; /* the same, split by kind of removal */
	size_t part_count;
	struct port_items made, exact; /* what these point to */
	uint32_t number;               /* of the binary */
	struct objections objections;  /* rules of the live policy that still decide otherwise */
	char *resolved;                /* the binary's path; NULL: any */
	struct port_items ports;       /* what rules.ports and rules.uids point to */
	struct user_items users;
	bool plain; /* remove only rules without a user */
	bool save;
	struct local_rules saved;
};

/* Warns if the path stands for something else than the administrator may think. */
static void look_at_program(const char *path, const char *resolved)
{
	_cleanup_free_ char *never = NULL, *link = NULL;
	struct stat st;

	if (stat(resolved, &st))
		return;
	never = program_never_runs(path, resolved, st.st_mode);
	link = never ? NULL : program_behind_link(path, resolved);
	if (never)
		warn("%s", never);
	if (link)
		warn("%s", link);
}

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
	/* The rules of a file that is gone can still be removed, by the path that they give. */
	if (edit->rules.remove)
		return STATUS_DONE;
	if (unresolved && !missing)
		return fail(STATUS_FAILED, "%s", unresolved);
	if (missing) {
		_cleanup_free_ char *why = resolve_why_nowhere(path);

		warn("%s: %s; the rule waits for it", path, unresolved && why ? why : "no such file yet");
	} else {
		look_at_program(path, edit->resolved);
	}
	return STATUS_DONE;
}

/* Sets *until to the end of a time such as `12h` from now on, in ns since boot. */
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

/* `remove --user any` means the rules for which `list` prints the user `any`; unless there is a user of that name. */
static enum status read_users(const char *text, struct edit *edit)
{
	struct user_cache users = { 0 };

	edit->plain = edit->rules.remove && text && !strcmp(text, "any") && !user_is_known(&users, text);
	user_cache_clear(&users);
	if (!edit->plain)
		return user_items_read(&edit->users, text);
	edit->rules.removal = REMOVE_MADE_PLAIN;
	return STATUS_DONE;
}

static enum status read_edit(const struct invocation *invocation, struct edit *edit)
{
	edit->rules.remove = !strcmp(invocation->verb->name, "remove");
	edit->rules.verdict = strcmp(invocation->verb->name, "deny") ? VERDICT_ALLOW : VERDICT_DENY;
	for (int i = 1; i < invocation->count; i++)
		TRY(port_items_read(&edit->ports, invocation->arguments[i]));
	TRY(read_users(invocation->given[OPTION_USER], edit));
	TRY(read_time(invocation->given[OPTION_FOR], &edit->rules.until));
	TRY(read_binary(invocation->arguments[0], edit));
	edit->rules.ports = edit->ports.list;
	edit->rules.port_count = edit->ports.count;
	edit->rules.uids = edit->users.list;
	edit->rules.user_words = edit->users.words;
	edit->rules.uid_count = edit->users.count;
	if (edit->save && edit->rules.until)
		return fail(STATUS_USAGE, "no file has temporary rules; give --save or --for");
	return STATUS_DONE;
}

/*
 * Binds the edit's binary to the directory entry that its path stands for now, and sets *index to its index in `policy`. The target of a
 * link, or the directory itself, may have been replaced since the first rule was made; *moved says so.
 */
static enum status bind_binary(struct kernel *kernel, struct policy *policy, const struct edit *edit, size_t *index, bool *moved)
{
	struct binary *binary;
	uint32_t before;
	bool waited;

	*index = policy_binary(policy, edit->rules.path);
	binary = &policy->binaries[*index];
	before = binary->number;
	if (!edit->resolved) {
		if (before == BINARY_ANY)
			binary->waits = strcmp(edit->rules.path, "any") != 0;
		return STATUS_DONE;
	}
	free(binary->resolved);
	binary->resolved = must(strdup(edit->resolved));
	binary->number = BINARY_ANY;
	waited = binary->waits;
	binary->waits = false;
	TRY(give_binaries(kernel, policy, NULL));
	*moved = before != BINARY_ANY && binary->number != before;
	if (waited)
		warn("%s is there by now; all its rules now stand for it", edit->rules.path);
	else if (*moved)
		warn("%s is another directory entry than when its first rule was made; all its rules now stand for %s", edit->rules.path,
		     edit->resolved);
	return STATUS_DONE;
}

static enum status add_rules(struct kernel *kernel, struct policy *policy, void *data, bool *changed)
{
	struct edit *edit = data;
	size_t binary;

	TRY(bind_binary(kernel, policy, edit, &binary, changed));
	edit->number = policy->binaries[binary].number;
	edit->parts[edit->part_count++] = edit->rules;
	for (size_t i = 0; i < rule_edit_count(&edit->rules); i++)
		if (rule_edit_apply(&edit->rules, policy, binary, i))
			*changed = true;
	return STATUS_DONE;
}

static enum status refuse_removal(const struct rule_edit *edit, const struct rule *rule, bool plain)
{
	char item[PORT_TEXT_MAX], of_port[sizeof(item) + 16] = "", of_user[32] = "";

	if (edit->port_count)
		snprintf(of_port, sizeof(of_port), " for port %s", port_format(&rule->port, item));
	if (edit->uid_count)
		snprintf(of_user, sizeof(of_user), " of user %u", rule->uid);
	else if (plain)
		snprintf(of_user, sizeof(of_user), " without a user");
	return fail(STATUS_FAILED, "%s has no rule%s%s, so nothing was removed; %ssee: sockaccept-ctl list", edit->path, of_port, of_user,
		    edit->uid_count || plain ? "" : "one of a file goes only with --user if it has a user; ");
}

/* Returns true if `allow` or `deny` made one of the rules that are to be removed for this port, or for any if `port` is NULL. */
static bool is_made(const struct rule_edit *edit, const struct policy *policy, size_t binary, const struct port_item *port)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const uint32_t *uids = edit->uid_count ? edit->uids : NULL;

		for (size_t k = 0; k < (uids ? edit->uid_count : 1); k++)
			if (rule_is_removed(policy, &policy->rules[i], binary, port, uids ? &uids[k] : NULL, edit->removal))
				return true;
	}
	return false;
}

static void add_port(struct port_items *items, const struct port_item *port)
{
	items->list = must(reallocarray(items->list, items->count + 1, sizeof(*items->list)));
	items->list[items->count++] = *port;
}

static void add_part(struct edit *edit, const struct port_items *ports, enum removal removal)
{
	struct rule_edit *part = &edit->parts[edit->part_count];

	*part = edit->rules;
	part->removal = removal;
	part->ports = ports->list;
	part->port_count = ports->count;
	edit->part_count += ports->count || !edit->rules.port_count;
}

/*
 * Splits the removal: rules that `allow` or `deny` made are removed, and those of files stay. Only for ports without a made rule, a file's
 * rule is removed, if it has exactly the users asked for.
 */
static void split_removal(struct edit *edit, const struct policy *policy, size_t binary)
{
	const struct rule_edit *rules = &edit->rules;

	for (size_t i = 0; i < rules->port_count; i++)
		add_port(is_made(rules, policy, binary, &rules->ports[i]) ? &edit->made : &edit->exact, &rules->ports[i]);
	if (rules->port_count || is_made(rules, policy, binary, NULL))
		add_part(edit, &edit->made, rules->removal);
	if (rules->port_count || !edit->part_count)
		add_part(edit, &edit->exact, REMOVE_EXACT);
}

static enum status remove_part(const struct rule_edit *edit, struct policy *policy, size_t binary, bool plain)
{
	for (size_t i = 0; i < rule_edit_count(edit); i++) {
		struct rule rule = rule_edit_rule(edit, binary, i);

		if (!rule_edit_apply(edit, policy, binary, i))
			return refuse_removal(edit, &rule, plain);
	}
	return STATUS_DONE;
}

static enum status remove_rules(struct kernel *kernel, struct policy *policy, void *data, bool *changed)
{
	struct edit *edit = data;
	size_t binary = policy_binary(policy, edit->rules.path);

	(void)kernel;
	if (edit->resolved && !policy->binaries[binary].resolved)
		policy->binaries[binary].resolved = must(strdup(edit->resolved));
	split_removal(edit, policy, binary);
	for (size_t i = 0; i < edit->part_count; i++)
		TRY(remove_part(&edit->parts[i], policy, binary, edit->plain));
	*changed = true;
	return STATUS_DONE;
}

static void look_for_objections(const struct policy *policy, void *data)
{
	struct edit *edit = data;
	int error = 0;

	for (size_t i = 0; i < rule_edit_count(&edit->rules) && !error && !edit->rules.remove; i++)
		error = objections_find(policy, edit->number, &edit->rules, i, edit->save, &edit->objections);
	if (error)
		warn("can't tell whether other rules decide otherwise: %s", strerror(-error));
}

static enum status save(void *data)
{
	struct edit *edit = data;

	if (!edit->save)
		return STATUS_DONE;
	TRY(local_rules_prepare(edit->parts, edit->part_count, &edit->saved));
	return local_rules_write(&edit->saved);
}

static void undo_save(void *data)
{
	struct edit *edit = data;

	local_rules_undo(&edit->saved);
}

static void print_result(const struct edit *edit, bool changed, uint64_t generation)
{
	const char *saved = edit->saved.written ? "; saved in " LOCAL_RULES_FILE :
			    edit->save          ? "; " LOCAL_RULES_FILE " says so already" :
						  "";

	if (changed)
		printf("Done: generation %" PRIu64 "%s.\n", generation, saved);
	else
		printf("Nothing to do: the live policy says so already%s.\n", saved);
}

static void clear_edit(struct edit *edit)
{
	local_rules_clear(&edit->saved);
	objections_clear(&edit->objections);
	free(edit->resolved);
	free(edit->ports.list);
	free(edit->made.list);
	free(edit->exact.list);
	user_items_clear(&edit->users);
}

enum status verb_rule(const struct invocation *invocation)
{
	__attribute__((cleanup(clear_edit))) struct edit edit = { .save = invocation->given[OPTION_SAVE] };
	const struct policy_edit change = {
		.change = strcmp(invocation->verb->name, "remove") ? add_rules : remove_rules,
		.look = look_for_objections,
		.commit = save,
		.undo = undo_save,
		.data = &edit,
		.force = invocation->given[OPTION_FORCE],
	};
	uint64_t generation = 0;
	bool changed = false;

	TRY(read_edit(invocation, &edit));
	TRY(edit_policy(&change, &generation, &changed));
	objections_join(&edit.objections, &edit.saved.objections);
	objections_warn(&edit.objections, &edit.rules);
	print_result(&edit, changed, generation);
	return STATUS_DONE;
}
