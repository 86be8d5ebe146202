/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Warns of rules that hold less than they seem to.
 */
#include "policy/advice.h"

#include <grp.h>
#include <pwd.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/cleanup.h"
#include "policy/port.h"
#include "policy/program.h"
#include "policy/resolve.h"
#include "policy/text.h"

enum changer {
	CHANGER_ROOT,
	CHANGER_OWNER,
	CHANGER_GROUP,
	CHANGER_ANYONE,
};

/* A program's file, or a directory on the way to one. If its mode is 0, nothing is known of it. */
struct place {
	char *path;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	bool passable;             /* a directory: anyone can pass through it, and through all above it */
	const struct place *fault; /* a directory: the first one from the root to it that is not root's alone */
};

struct adviser {
	const struct policy *policy;
	struct diagnostics *diagnostics;
	const struct rule **everyone; /* by binary: the first rule of it that allows whoever runs it */
	const struct rule **escaped;  /* by binary: the first deny of it that a copy escapes */
	void *directories;            /* struct place, by path: thousands of binaries share a few */
	struct warning_kind never, links, runs, copies, changes;
};

static bool is_any(const struct policy *policy, const struct rule *rule)
{
	return binary_is_any(&policy->binaries[rule->binary]);
}

/* ---------------------------------------------------------------------------------------------
 * Copies: a copy has another name, so the rules for `any` and the default decide about it
 */

/* Each of the following returns true if `a` matches whatever `b` matches, as far as this condition goes. */
static bool includes_user(const struct rule *a, const struct rule *b)
{
	return !a->has_uid || (b->has_uid && a->uid == b->uid);
}

static bool includes_protocol(const struct port_item *a, const struct port_item *b)
{
	return a->protocol == PROTOCOL_ANY || a->protocol == b->protocol;
}

static bool includes_ports(const struct port_item *a, const struct port_item *b)
{
	return !a->first || (b->first && a->first <= b->first && a->last >= b->last);
}

/* Returns true if `a` matches every request that `b` matches. The binary doesn't count. */
static bool includes(const struct rule *a, const struct rule *b)
{
	return includes_ports(&a->port, &b->port) && includes_protocol(&a->port, &b->port) && includes_user(a, b);
}

static bool share_ports(const struct port_item *a, const struct port_item *b)
{
	return !a->first || !b->first || (a->first <= b->last && b->first <= a->last);
}

/* Returns true if both match some request. The binary doesn't count. */
static bool overlap(const struct rule *a, const struct rule *b)
{
	return share_ports(&a->port, &b->port) && (includes_protocol(&a->port, &b->port) || includes_protocol(&b->port, &a->port)) &&
	       (includes_user(a, b) || includes_user(b, a));
}

/* Returns true if a copy can do some of what `deny` denies, under these rules for `any` and a default that allows. */
static bool copy_escapes(const struct rule *deny, const struct rule *const *any, size_t count)
{
	uint32_t denied = 0;

	for (size_t i = 0; i < count; i++)
		if (any[i]->verdict == VERDICT_DENY && includes(any[i], deny) && rule_rank(any[i]) > denied)
			denied = rule_rank(any[i]);
	if (!denied)
		return true;
	for (size_t i = 0; i < count; i++)
		if (any[i]->verdict == VERDICT_ALLOW && overlap(any[i], deny) && rule_rank(any[i]) > denied)
			return true;
	return false;
}

static const struct rule **rules_for_any(const struct policy *policy, size_t *count)
{
	const struct rule **any = must(calloc(policy->rule_count + 1, sizeof(struct rule *)));

	for (size_t i = 0; i < policy->rule_count; i++)
		if (is_any(policy, &policy->rules[i]))
			any[(*count)++] = &policy->rules[i];
	return any;
}

static void judge_rules(struct adviser *a)
{
	size_t count = 0;
	_cleanup_free_ const struct rule **any = rules_for_any(a->policy, &count);

	for (size_t i = 0; i < a->policy->rule_count; i++) {
		const struct rule *rule = &a->policy->rules[i];
		const struct rule **everyone = &a->everyone[rule->binary], **escaped = &a->escaped[rule->binary];

		if (is_any(a->policy, rule))
			continue;
		if (rule->verdict == VERDICT_ALLOW && !rule->has_uid && !*everyone)
			*everyone = rule;
		if (rule->verdict == VERDICT_DENY && a->policy->verdict == VERDICT_ALLOW && !*escaped && copy_escapes(rule, any, count))
			*escaped = rule;
	}
}

/* ---------------------------------------------------------------------------------------------
 * Files and directories
 */

/* Returns who other than root can change what is there, or CHANGER_ROOT if nobody is known to. */
static enum changer changer(const struct place *place)
{
	if (!place->mode)
		return CHANGER_ROOT;
	if (place->uid)
		return CHANGER_OWNER;
	if (place->mode & S_IWOTH)
		return CHANGER_ANYONE;
	return place->mode & S_IWGRP && place->gid ? CHANGER_GROUP : CHANGER_ROOT;
}

/* In a sticky directory, only root can replace root's files; a file of someone else is reported by itself. */
static bool may_replace_in(const struct place *directory)
{
	enum changer who = changer(directory);

	return who == CHANGER_OWNER || (who != CHANGER_ROOT && !(directory->mode & S_ISVTX));
}

static int compare_places(const void *a, const void *b)
{
	return strcmp(((const struct place *)a)->path, ((const struct place *)b)->path);
}

static void free_place(void *data)
{
	struct place *place = data;

	free(place->path);
	free(place);
}

static struct place *look_at(const char *path, const struct place *above)
{
	struct place *place = must(calloc(1, sizeof(*place)));
	struct stat st;

	place->path = must(strdup(path));
	if (!stat(path, &st)) {
		place->mode = st.st_mode;
		place->uid = st.st_uid;
		place->gid = st.st_gid;
	}
	place->passable = place->mode & S_IXOTH && (!above || above->passable);
	place->fault = above ? above->fault : NULL;
	if (!place->fault && may_replace_in(place))
		place->fault = place;
	return place;
}

/* Returns the directory of `entry`, a resolved path. Looks at each directory once. */
static const struct place *directory_of(struct adviser *a, const char *entry)
{
	_cleanup_free_ char *path = path_directory(entry);
	const struct place wanted = { .path = path };
	struct place **found = tfind(&wanted, &a->directories, compare_places);
	struct place *place;

	if (found)
		return *found;
	place = look_at(path, strcmp(path, "/") ? directory_of(a, path) : NULL);
	must(tsearch(place, &a->directories, compare_places));
	return place;
}

/* Returns "user NAME", "group NAME" or "anyone", to be freed. */
static char *name_changer(const struct place *place)
{
	const struct passwd *user;
	const struct group *group;

	switch (changer(place)) {
	case CHANGER_OWNER:
		user = getpwuid(place->uid);
		return user ? text_format("user %s", user->pw_name) : text_format("user %u", place->uid);
	case CHANGER_GROUP:
		group = getgrgid(place->gid);
		return group ? text_format("group %s", group->gr_name) : text_format("group %u", place->gid);
	default: return text_format("anyone");
	}
}

/* ---------------------------------------------------------------------------------------------
 * Warnings
 */

/* Warns about a rule at the line where its own section names the binary: other sections and files can name that too. */
static void warn_at(struct adviser *a, const struct rule *rule, const char *message)
{
	const struct origin *origin = rule_origin(a->policy, rule);

	diagnostics_warning(a->diagnostics, origin ? origin->file : NULL, origin ? origin->line : 0, "%s", message);
}

/* Warns if the path probably stands for something else than was meant. */
static void warn_of_program(struct adviser *a, const struct binary *binary)
{
	_cleanup_free_ char *never = NULL, *link = NULL;

	if (!binary->mode)
		return;
	never = program_never_runs(binary->path, binary->resolved, binary->mode);
	link = never ? NULL : program_behind_link(binary->path, binary->resolved);
	if (never && warning_kind_shows(&a->never))
		diagnostics_warning(a->diagnostics, binary->file, binary->line, "%s", never);
	if (link && warning_kind_shows(&a->links))
		diagnostics_warning(a->diagnostics, binary->file, binary->line, "%s", link);
}

static void warn_of_runs(struct adviser *a, const struct binary *binary, const struct rule *rule)
{
	_cleanup_free_ char *message = NULL;

	if (!rule || !binary->resolved || !(binary->mode & S_IXOTH) || !directory_of(a, binary->resolved)->passable ||
	    !warning_kind_shows(&a->runs))
		return;
	message = text_format("%s: anyone can run it, with LD_PRELOAD too, and accept what [%s] allows; add user = ... to [%s]",
			      binary->path, rule->section, rule->section);
	warn_at(a, rule, message);
}

static void warn_of_copies(struct adviser *a, const struct binary *binary, const struct rule *rule)
{
	_cleanup_free_ char *message = NULL;
	char port[PORT_TEXT_MAX];

	if (!rule || !warning_kind_shows(&a->copies))
		return;
	message = text_format("%s: a copy of it under another name escapes the deny of %s in [%s]; set default = deny, or deny it for "
			      "binary = any",
			      binary->path, port_format(&rule->port, port), rule->section);
	warn_at(a, rule, message);
}

/* Warns if someone other than root can create the file, which isn't there yet. */
static void warn_of_creation(struct adviser *a, const struct binary *binary, const struct place *directory)
{
	_cleanup_free_ char *who = NULL;

	if (changer(directory) == CHANGER_ROOT || !warning_kind_shows(&a->changes))
		return;
	who = name_changer(directory);
	diagnostics_warning(a->diagnostics, binary->file, binary->line,
			    "%s: %s can create it in %s; install it first, or in another directory", binary->path, who, directory->path);
}

static void warn_of_change(struct adviser *a, const struct binary *binary, const struct place *fault)
{
	bool owner = changer(fault) == CHANGER_OWNER;
	_cleanup_free_ char *who = NULL;

	if (!warning_kind_shows(&a->changes))
		return;
	who = name_changer(fault);
	diagnostics_warning(a->diagnostics, binary->file, binary->line, "%s: %s %s %s, who can put another program in its place; %s %s",
			    binary->path, fault->path, owner ? "belongs to" : "can be written by", who, owner ? "chown root" : "chmod go-w",
			    fault->path);
}

static void judge_places(struct adviser *a, const struct binary *binary)
{
	const struct place file = {
		.path = binary->resolved,
		.mode = binary->mode,
		.uid = binary->uid,
		.gid = binary->gid,
	};
	const struct place *directory;

	if (!binary->resolved)
		return;
	directory = directory_of(a, binary->resolved);
	if (directory->fault)
		warn_of_change(a, binary, directory->fault);
	else if (!binary->mode)
		warn_of_creation(a, binary, directory);
	else if (changer(&file) != CHANGER_ROOT)
		warn_of_change(a, binary, &file);
}

void advise_policy(const struct policy *policy, struct diagnostics *diagnostics)
{
	struct adviser a = { .policy = policy, .diagnostics = diagnostics };

	a.everyone = must(calloc(policy->binary_count + 1, sizeof(struct rule *)));
	a.escaped = must(calloc(policy->binary_count + 1, sizeof(struct rule *)));
	judge_rules(&a);
	for (size_t i = 0; i < policy->binary_count; i++) {
		warn_of_program(&a, &policy->binaries[i]);
		warn_of_runs(&a, &policy->binaries[i], a.everyone[i]);
		warn_of_copies(&a, &policy->binaries[i], a.escaped[i]);
		judge_places(&a, &policy->binaries[i]);
	}
	warning_kind_end(&a.never, diagnostics, "binaries are scripts or not executable, so their rules never match");
	warning_kind_end(&a.links, diagnostics, "binaries are links, and their rules stand for the programs that those lead to");
	warning_kind_end(&a.runs, diagnostics, "binaries can be run, and their rules used, by anyone");
	warning_kind_end(&a.copies, diagnostics, "binaries have denials that a copy escapes");
	warning_kind_end(&a.changes, diagnostics, "binaries can be replaced by others than root");
	tdestroy(a.directories, free_place);
	free(a.everyone);
	free(a.escaped);
}
