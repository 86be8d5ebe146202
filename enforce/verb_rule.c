/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * allow, deny, remove: one rule of the live policy at a time, and mode.
 */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
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

/* What the command line asks for. */
struct edit {
	const struct verb *verb;
	const char *path;  /* of the binary, or "any" */
	char *resolved;    /* NULL: any */
	struct port_item *ports;
	size_t port_count; /* 0: remove all rules of the binary */
	bool has_uid;
	uint32_t uid;
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

static enum status read_user(const char *text, struct edit *edit)
{
	struct passwd *entry;
	char *end;
	unsigned long number;

	if (!text)
		return STATUS_DONE;
	edit->has_uid = true;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end) {
		if (errno || number >= UINT32_MAX || (*text == '0' && text[1]))
			return fail(STATUS_USAGE, "user id %s is none; ids go from 0 to 4294967294", text);
		edit->uid = (uint32_t)number;
		return STATUS_DONE;
	}
	entry = getpwnam(text);
	if (!entry)
		return fail(STATUS_USAGE, "unknown user '%s'; create it, or give its numeric id", text);
	edit->uid = entry->pw_uid;
	return STATUS_DONE;
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
		status = read_user(invocation->user, edit);
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
	status = give_binaries(kernel, policy);
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
		.has_uid = edit->has_uid,
		.uid = edit->uid,
		.counter = COUNTER_NONE,
	};
	enum status status = bind_binary(kernel, policy, edit, &rule.binary, changed);

	for (size_t i = 0; i < edit->port_count && status == STATUS_DONE; i++) {
		rule.port = edit->ports[i];
		if (policy_replace(policy, &rule))
			*changed = true;
	}
	return status;
}

static enum status remove_rules(struct kernel *kernel, struct policy *policy, const void *data, bool *changed)
{
	const struct edit *edit = data;
	size_t binary = policy_binary(policy, edit->path), removed = 0;
	const uint32_t *uid = edit->has_uid ? &edit->uid : NULL;

	(void)kernel;
	if (edit->resolved && !policy->binaries[binary].resolved) {
		policy->binaries[binary].resolved = strdup(edit->resolved);
		if (!policy->binaries[binary].resolved)
			abort();
	}
	if (!edit->port_count)
		removed = policy_remove(policy, binary, NULL, uid);
	for (size_t i = 0; i < edit->port_count; i++) {
		size_t now = policy_remove(policy, binary, &edit->ports[i], uid);
		char port[PORT_TEXT_MAX];

		if (!now)
			return fail(STATUS_FAILED, "%s has no rule for port %s, so nothing was removed; see: sockaccept-ctl "
				    "list", edit->path, port_format(&edit->ports[i], port));
		removed += now;
	}
	if (!removed)
		return fail(STATUS_FAILED, "%s has no such rule; see: sockaccept-ctl list", edit->path);
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
