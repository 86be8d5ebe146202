/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/local_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enforce/base/replace.h"
#include "enforce/change/diagnostics_print.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/ini_edit.h"
#include "policy/overrule.h"
#include "policy/port.h"
#include "policy/resolve.h"
#include "policy/text.h"

#define FIRST_LINE "; Rules that sockaccept-ctl allow, deny and remove keep with --save. Change them as you like.\n"

/* Reads the file as it is. Returns 0 or -errno. */
static int read_file(struct local_rules *rules)
{
	_cleanup_close_ int fd = open(LOCAL_RULES_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	ssize_t length;

	rules->mode = 0644;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > SOURCE_MAX_BYTES)
		return -EINVAL;
	text = must(malloc((size_t)st.st_size + 1));
	length = read(fd, text, (size_t)st.st_size);
	if (length < 0)
		return -errno;
	text[length] = '\0';
	/* What follows a NUL byte would be lost, and `load` refuses such a file. */
	if (strlen(text) != (size_t)length)
		return -EINVAL;
	rules->before = TAKE_PTR(text);
	rules->mode = st.st_mode & 07777;
	return 0;
}

/* Adds the rules of `text`, as if that was the file's. */
static void read_text(const char *text, struct policy *policy, struct diagnostics *diagnostics)
{
	_cleanup_fclose_ FILE *stream = *text ? must(fmemopen((char *)text, strlen(text), "r")) : NULL;
	struct ini_settings settings = { 0 };

	if (stream)
		ini_read(stream, LOCAL_RULES_FILE, &settings, policy, diagnostics);
	ini_settings_clear(&settings);
}

/* Adds the rules of all other files of the policy. */
static void read_others(struct policy *policy, struct diagnostics *diagnostics)
{
	glob_t names = { 0 };

	if (!access(DEFAULT_POLICY_FILE, F_OK))
		source_read(DEFAULT_POLICY_FILE, READ_FOR_LOAD, policy, diagnostics);
	if (!glob(DEFAULT_POLICY_DIR "/*.ini", 0, NULL, &names))
		for (size_t i = 0; i < names.gl_pathc; i++)
			if (strcmp(names.gl_pathv[i], LOCAL_RULES_FILE) != 0)
				source_read(names.gl_pathv[i], READ_FOR_LOAD, policy, diagnostics);
	globfree(&names);
}

/* Makes the edits on rules, as they are made on the live policy's. */
static void apply(struct policy *policy, const struct rule_edit *edits, size_t count)
{
	for (size_t k = 0; k < count; k++) {
		size_t binary = policy_binary(policy, edits[k].path);

		for (size_t i = 0; i < rule_edit_count(&edits[k]); i++)
			rule_edit_apply(&edits[k], policy, binary, i);
	}
	policy_normalise(policy);
}

/* Refuses the new text if its rules aren't those of the old text with the edits made. */
static enum status check_text(const struct local_rules *rules, const struct rule_edit *edits, size_t count)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics = { 0 };
	_cleanup_policy_ struct policy expected = POLICY_INIT, seen = POLICY_INIT;

	read_text(rules->before ? rules->before : "", &expected, &diagnostics);
	apply(&expected, edits, count);
	read_text(rules->after, &seen, &diagnostics);
	policy_normalise(&seen);
	if (!diagnostics.errors && policy_same_rules(&expected, &seen))
		return STATUS_DONE;
	return fail(STATUS_FAILED,
		    "%s is written in a way in which it can't be changed for sure; change it there yourself. "
		    "Nothing was changed",
		    LOCAL_RULES_FILE);
}

/* Returns true if `rule`, of the files as they will be, would undo what `wanted` says. */
static bool undoes(const struct policy *policy, const struct rule *rule, const struct rule *wanted, const struct rule_edit *edit)
{
	struct rule same = *wanted;

	if (edit->remove && !edit->port_count)
		same.port = rule->port;
	if (!rule_same_request(policy, rule, &same))
		return false;
	/* Of two such rules with contrary verdicts, deny decides. */
	return edit->remove || (rule->verdict == VERDICT_DENY && edit->verdict == VERDICT_ALLOW);
}

static enum status refuse(const struct policy *policy, const struct rule *rule, const struct rule_edit *edit)
{
	const struct origin *origin = rule_origin(policy, rule);
	_cleanup_free_ char *place = origin ? text_format("%s:%u: ", origin->file, origin->line) : NULL;
	char port[PORT_TEXT_MAX];

	return fail(STATUS_FAILED,
		    "%s[%s] of the policy's files has `%s = %s` for %s, which %s with the next load; change it there. Nothing was "
		    "changed",
		    place ?: "", rule->section, ini_verdict_words[rule->verdict], port_format(&rule->port, port),
		    policy->binaries[rule->binary].path, edit->remove ? "would be back" : "would win");
}

/*
 * Refuses an edit that another file's rule would undo, also one with another spelling of the path. A rule that `allow` or `deny` made is in
 * no other file.
 */
static enum status compare(const struct policy *policy, size_t binary, const struct rule_edit *edit)
{
	if (edit->remove && removal_is_of_made(edit->removal))
		return STATUS_DONE;
	for (size_t i = 0; i < rule_edit_count(edit); i++) {
		struct rule wanted = rule_edit_rule(edit, binary, i);

		for (size_t k = 0; k < policy->rule_count; k++)
			if (undoes(policy, &policy->rules[k], &wanted, edit))
				return refuse(policy, &policy->rules[k], edit);
	}
	return STATUS_DONE;
}

/* Sets what the binary's path leads to. One that leads nowhere is only compared as it is spelt. */
static void resolve_binary(struct policy *policy, size_t binary)
{
	struct binary *one = &policy->binaries[binary];
	bool missing;

	if (!one->resolved && *one->path == '/')
		free(resolve_path(one->path, &one->resolved, &missing));
}

/* ---------------------------------------------------------------------------------------------
 * Does the change hold with the next load?
 */

/* All files of the policy, without the change and with it. */
struct files {
	struct policy before, after;
	uint32_t number; /* that both give to the edit's binary */
};

static void clear_files(struct files *files)
{
	policy_clear(&files->before);
	policy_clear(&files->after);
}

static enum status refuse_useless(const struct rule *rule, const char *path, const struct objection *objection)
{
	char port[PORT_TEXT_MAX];

	return fail(STATUS_FAILED, "`%s = %s` for %s would have no effect: %s, which decides; %s%s. Nothing was changed",
		    ini_verdict_words[rule->verdict], port_format(&rule->port, port), path, objection->rule,
		    objection->instead ? "say instead: " : "change it there", objection->instead ?: "");
}

/* Refuses a rule that others leave without any effect. Adds to rules->objections what still decides otherwise than one that has some. */
static enum status judge_rule(struct local_rules *rules, const struct files *files, const struct rule_edit *edit, size_t index)
{
	const struct rule rule = rule_edit_rule(edit, 0, index);
	struct objections found = { 0 };
	enum status status = STATUS_DONE;
	bool effect = true;
	int error = objections_find(&files->after, files->number, edit, index, true, &found);

	/* A rule that was saved before adds nothing. */
	if (!error && found.count && !policy_same_rules(&files->before, &files->after))
		error = overrule_effect(&files->before, &files->after, files->number, &rule, &effect);
	if (error)
		status = fail(STATUS_FAILED, "can't judge the policy's files: %s. Nothing was changed", strerror(-error));
	else if (!effect)
		status = refuse_useless(&rule, edit->path, &found.list[0]);
	objections_join(&rules->objections, &found);
	return status;
}

static enum status judge_rules(struct local_rules *rules, struct files *files, const struct rule_edit *edit)
{
	policy_number_alike(&files->before, &files->after);
	files->number = files->after.binaries[policy_binary(&files->after, edit->path)].number;
	policy_normalise(&files->before);
	policy_normalise(&files->after);
	for (size_t i = 0; i < rule_edit_count(edit); i++)
		TRY(judge_rule(rules, files, edit, i));
	return STATUS_DONE;
}

/*
 * Reads all files of the policy into `policy`, with the text `local` for the local one. Returns false if that isn't valid, and prints why
 * unless `quiet`.
 */
static bool read_all(const char *local, struct policy *policy, bool quiet)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics = { 0 };

	read_others(policy, &diagnostics);
	read_text(local, policy, &diagnostics);
	if (!diagnostics.errors)
		resolve_policy(policy, READ_FOR_CHECK, &diagnostics);
	diagnostics_drop_warnings(&diagnostics);
	if (!quiet)
		diagnostics_print(&diagnostics);
	return !diagnostics.errors;
}

static enum status judge_files(struct local_rules *rules, struct files *files, const struct rule_edit *edits, size_t count)
{
	if (!read_all(rules->after, &files->after, false))
		return fail(STATUS_INVALID, "the policy's files are invalid, and nothing can be saved among them; fix them first, see: "
					    "sockaccept-ctl check. Nothing was changed");
	for (size_t i = 0; i < count; i++) {
		size_t binary = policy_binary(&files->after, edits[i].path);

		resolve_binary(&files->after, binary);
		TRY(compare(&files->after, binary, &edits[i]));
	}
	if (!edits->remove && read_all(rules->before ? rules->before : "", &files->before, true))
		TRY(judge_rules(rules, files, edits));
	return STATUS_DONE;
}

static enum status judge(struct local_rules *rules, const struct rule_edit *edits, size_t count)
{
	__attribute__((cleanup(clear_files))) struct files files;

	policy_init(&files.before);
	policy_init(&files.after);
	TRY(judge_files(rules, &files, edits, count));
	return check_text(rules, edits, count);
}

/* Sets rules->after to the text with all edits made. */
static enum status edit_text(struct local_rules *rules, const struct rule_edit *edits, size_t count)
{
	_cleanup_free_ char *problem = NULL;

	rules->after = must(strdup(rules->before ? rules->before : FIRST_LINE));
	for (size_t i = 0; i < count && !problem; i++) {
		char *text = ini_edit(rules->after, &edits[i], &problem);

		free(rules->after);
		rules->after = text;
	}
	return problem ? fail(STATUS_FAILED, "%s:%s. Nothing was changed", LOCAL_RULES_FILE, problem) : STATUS_DONE;
}

/* Refuses a file that `load` would refuse: written anew, it would be root's and be believed. */
static enum status check_owner(const char *path)
{
	_cleanup_free_ char *problem = NULL;
	struct stat st;

	if (stat(path, &st))
		return STATUS_DONE;
	problem = source_judge(&st);
	return problem ? fail(STATUS_FAILED, "%s %s. Nothing was changed", path, problem) : STATUS_DONE;
}

enum status local_rules_prepare(const struct rule_edit *edits, size_t count, struct local_rules *rules)
{
	int error;

	TRY(check_owner(DEFAULT_POLICY_DIR));
	TRY(check_owner(LOCAL_RULES_FILE));
	error = read_file(rules);
	if (error)
		return fail(STATUS_FAILED, "%s: %s; it has to be a regular file of root's", LOCAL_RULES_FILE, strerror(-error));
	TRY(edit_text(rules, edits, count));
	return judge(rules, edits, count);
}

enum status local_rules_write(struct local_rules *rules)
{
	int error = 0;

	if (!strcmp(rules->before ? rules->before : FIRST_LINE, rules->after))
		return STATUS_DONE;
	if (mkdir(DEFAULT_POLICY_BASE, 0755) && errno != EEXIST)
		error = -errno;
	if (!error && mkdir(DEFAULT_POLICY_DIR, 0755) && errno != EEXIST)
		error = -errno;
	if (!error)
		error = replace_file(LOCAL_RULES_FILE, rules->after, strlen(rules->after), rules->mode, true);
	if (error)
		return fail(STATUS_FAILED, "%s can't be written: %s. Nothing was changed", LOCAL_RULES_FILE, strerror(-error));
	rules->written = true;
	return STATUS_DONE;
}

void local_rules_undo(struct local_rules *rules)
{
	int error = 0;

	if (!rules->written)
		return;
	if (rules->before)
		error = replace_file(LOCAL_RULES_FILE, rules->before, strlen(rules->before), rules->mode, true);
	else if (unlink(LOCAL_RULES_FILE))
		error = -errno;
	if (error)
		warn("%s has the change, and couldn't be put back: %s", LOCAL_RULES_FILE, strerror(-error));
}

void local_rules_clear(struct local_rules *rules)
{
	free(rules->before);
	free(rules->after);
	objections_clear(&rules->objections);
	*rules = (struct local_rules){ 0 };
}
