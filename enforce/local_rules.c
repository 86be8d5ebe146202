/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/local_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enforce/diagnostics_print.h"
#include "enforce/replace.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/ini_edit.h"
#include "policy/port.h"
#include "policy/resolve.h"

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
	/* What follows a NUL byte would be lost, and `load` takes no such file. */
	if (strlen(text) != (size_t)length)
		return -EINVAL;
	rules->before = TAKE_PTR(text);
	rules->mode = st.st_mode & 07777;
	return 0;
}

/* Adds the rules of `text`, as if it was the file. */
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
		source_read(DEFAULT_POLICY_FILE, false, policy, diagnostics);
	if (!glob(DEFAULT_POLICY_DIR "/*.ini", 0, NULL, &names))
		for (size_t i = 0; i < names.gl_pathc; i++)
			if (strcmp(names.gl_pathv[i], LOCAL_RULES_FILE) != 0)
				source_read(names.gl_pathv[i], false, policy, diagnostics);
	globfree(&names);
}

/* What the live policy's rules would become by the same edit. */
static void apply(struct policy *policy, const struct rule_edit *edit)
{
	size_t binary = policy_binary(policy, edit->path);

	for (size_t i = 0; i < rule_edit_count(edit); i++)
		rule_edit_apply(edit, policy, binary, i);
	policy_normalise(policy);
}

/* A change of text can have another effect than it should have: the rules are what counts. */
static enum status check_effect(const struct local_rules *rules, const struct rule_edit *edit)
{
	struct diagnostics diagnostics = { 0 };
	struct policy expected, seen;
	bool same;

	policy_init(&expected);
	policy_init(&seen);
	read_text(rules->before ? rules->before : "", &expected, &diagnostics);
	apply(&expected, edit);
	read_text(rules->after, &seen, &diagnostics);
	policy_normalise(&seen);
	same = !diagnostics.errors && policy_same_rules(&expected, &seen);
	diagnostics_clear(&diagnostics);
	policy_clear(&expected);
	policy_clear(&seen);
	return same ? STATUS_DONE : fail(STATUS_FAILED, "%s is written in a way in which it can't be changed for sure; change it there yourself. "
					 "Nothing was changed", LOCAL_RULES_FILE);
}

/* True if `rule`, of the files as they will be, would undo what `wanted` says. */
static bool undoes(const struct policy *policy, const struct rule *rule, const struct rule *wanted, const struct rule_edit *edit)
{
	struct rule same = *wanted;

	if (edit->remove && !edit->port_count)
		same.port = rule->port;
	if (edit->remove && !edit->uid_count) {
		same.has_uid = rule->has_uid;
		same.uid = rule->uid;
	}
	/* Of two such rules that say the contrary, deny decides. */
	return rule_same_request(policy, rule, &same) && (edit->remove || (rule->verdict == VERDICT_DENY && edit->verdict == VERDICT_ALLOW));
}

static enum status refuse(const struct policy *policy, const struct rule *rule, const struct rule_edit *edit)
{
	char port[PORT_TEXT_MAX];

	return fail(STATUS_FAILED, "[%s] of the policy's files has `%s = %s` for %s, which %s with the next load; change it there. Nothing was "
		    "changed", rule->section, ini_verdict_words[rule->verdict], port_format(&rule->port, port),
		    policy->binaries[rule->binary].path, edit->remove ? "would be back" : "would win");
}

/* Looks for what would undo the edit, under another spelling of the path too. */
static enum status compare(const struct policy *policy, size_t binary, const struct rule_edit *edit)
{
	for (size_t i = 0; i < rule_edit_count(edit); i++) {
		struct rule wanted = rule_edit_rule(edit, binary, i);

		for (size_t k = 0; k < policy->rule_count; k++)
			if (undoes(policy, &policy->rules[k], &wanted, edit))
				return refuse(policy, &policy->rules[k], edit);
	}
	return STATUS_DONE;
}

/* What a path leads to; nothing, if it leads nowhere: then it is only compared as it is spelt. */
static void resolve_binary(struct policy *policy, size_t binary)
{
	struct binary *one = &policy->binaries[binary];
	bool missing;

	if (!one->resolved && *one->path == '/')
		free(resolve_path(one->path, &one->resolved, &missing));
}

/* Whether the change will hold with the next load. */
static enum status judge(const struct local_rules *rules, const struct rule_edit *edit)
{
	struct diagnostics diagnostics = { 0 };
	enum status status = STATUS_DONE;
	struct policy policy;
	size_t binary;

	policy_init(&policy);
	read_others(&policy, &diagnostics);
	read_text(rules->after, &policy, &diagnostics);
	if (!diagnostics.errors)
		resolve_policy(&policy, true, &diagnostics);
	diagnostics_drop_warnings(&diagnostics);
	diagnostics_print(&diagnostics);
	binary = policy_binary(&policy, edit->path);
	resolve_binary(&policy, binary);
	if (diagnostics.errors)
		status = fail(STATUS_INVALID, "the policy's files are invalid, and nothing can be saved among them; mend them first, see: "
			      "sockaccept-ctl check. Nothing was changed");
	else
		status = compare(&policy, binary, edit);
	diagnostics_clear(&diagnostics);
	policy_clear(&policy);
	return status == STATUS_DONE ? check_effect(rules, edit) : status;
}

/* What `load` would refuse must stay so: written anew, it would be root's. */
static enum status check_owner(const char *path)
{
	_cleanup_free_ char *problem = NULL;
	struct stat st;

	if (stat(path, &st))
		return STATUS_DONE;
	problem = source_judge(&st);
	return problem ? fail(STATUS_FAILED, "%s %s. Nothing was changed", path, problem) : STATUS_DONE;
}

enum status local_rules_prepare(const struct rule_edit *edit, struct local_rules *rules)
{
	_cleanup_free_ char *problem = NULL;
	enum status status = check_owner(DEFAULT_POLICY_DIR);
	int error;

	if (status == STATUS_DONE)
		status = check_owner(LOCAL_RULES_FILE);
	if (status != STATUS_DONE)
		return status;
	error = read_file(rules);
	if (error)
		return fail(STATUS_FAILED, "%s: %s; it has to be a regular file of root's", LOCAL_RULES_FILE, strerror(-error));
	rules->after = ini_edit(rules->before ? rules->before : FIRST_LINE, edit, &problem);
	if (problem)
		return fail(STATUS_FAILED, "%s:%s. Nothing was changed", LOCAL_RULES_FILE, problem);
	return judge(rules, edit);
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
	*rules = (struct local_rules){ 0 };
}
