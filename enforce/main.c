/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sockaccept-ctl: reads the command line and runs a verb.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/change/change_lock.h"
#include "enforce/kernel/hidden.h"
#include "enforce/kernel/prerequisites.h"
#include "enforce/verbs/verb.h"

#ifndef SOCKACCEPT_VERSION
#define SOCKACCEPT_VERSION "0.1"
#endif

/* What getopt_long() returns for --help. For any other option, it returns the index of its row plus 1. */
#define HELP (OPTIONS + 1)

/* Makes the table of options that getopt_long() takes. */
static void make_long_options(struct option long_options[OPTIONS + 2])
{
	for (int i = 0; i < OPTIONS; i++)
		long_options[i] =
			(struct option){ option_rows[i].name, option_rows[i].argument ? required_argument : no_argument, NULL, i + 1 };
	long_options[OPTIONS] = (struct option){ "help", no_argument, NULL, HELP };
	long_options[OPTIONS + 1] = (struct option){ 0 };
}

static enum status usage(const struct verb *verb, const char *what, const char *about)
{
	return fail(STATUS_USAGE, "%s%s; usage: sockaccept-ctl %s%s%s", what, about, verb->name, *verb->arguments ? " " : "",
		    verb->arguments);
}

static enum status check_count(const struct invocation *invocation)
{
	const struct verb *verb = invocation->verb;

	if (invocation->count < verb->least)
		return usage(verb, "missing arguments", "");
	if (verb->most >= 0 && invocation->count > verb->most)
		return usage(verb, "surplus argument ", invocation->arguments[verb->most]);
	return STATUS_DONE;
}

static enum status take_option(struct invocation *invocation, const struct option_row *row)
{
	if (!(invocation->verb->options & TAKES(row->option)))
		return usage(invocation->verb, "this verb doesn't take --", row->name);
	if (row->argument && invocation->given[row->option])
		return usage(invocation->verb, "given twice: --", row->name);
	if (row->argument && !*optarg)
		return usage(invocation->verb, "an empty value of --", row->name);
	invocation->given[row->option] = row->argument ? optarg : "";
	return STATUS_DONE;
}

/* Returns true if `argument` is the option `name`, spelt out, with or without `=value`. */
static bool is_spelt_out(const char *argument, const char *name)
{
	size_t length = strlen(name);

	return !strncmp(argument, "--", 2) && !strncmp(argument + 2, name, length) &&
	       (argument[2 + length] == '\0' || argument[2 + length] == '=');
}

/* Reads the options and arguments that follow the verb. Sets *help if its help was asked for. */
static enum status read_arguments(int argc, char **argv, struct invocation *invocation, bool *help)
{
	struct option long_options[OPTIONS + 2];
	enum status status = STATUS_DONE;
	int option, index = 0;

	make_long_options(long_options);
	opterr = 0;
	while (status == STATUS_DONE && (option = getopt_long(argc, argv, ":", long_options, &index)) != -1) {
		const char *given = argv[optind - 1];

		if (option == ':')
			return usage(invocation->verb, "a value is missing after ", given);
		if (option == '?' && optopt > HELP)
			return usage(invocation->verb, "unknown option ", (char[]){ '-', (char)optopt, '\0' });
		if (option == '?')
			return usage(invocation->verb, optopt ? "takes no value: " : "unknown option ", given);
		if (optarg && optarg == given)
			given = argv[optind - 2];
		/* getopt_long() takes --js for --json: a script that relied on that would break with the next option. */
		if (!is_spelt_out(given, long_options[index].name))
			return usage(invocation->verb, "unknown option ", given);
		if (option == HELP) {
			*help = true;
			return STATUS_DONE;
		}
		status = take_option(invocation, &option_rows[option - 1]);
	}
	invocation->arguments = argv + optind;
	invocation->count = argc - optind;
	return status == STATUS_DONE ? check_count(invocation) : status;
}

/* Returns true if the log that --log names is all that is read: no kernel side is needed then, unless new events are to be followed. */
static bool reads_only_log(const struct invocation *invocation)
{
	return (invocation->verb->run == verb_audit || invocation->verb->run == verb_report) && invocation->given[OPTION_LOG] &&
	       !invocation->given[OPTION_FOLLOW] && !privileges_open_pins();
}

static enum privilege privilege_of(const struct invocation *invocation)
{
	return reads_only_log(invocation) ? PRIVILEGE_FILES : invocation->verb->privilege;
}

/* Runs the verb argv[0]. Sets *changed if it may have changed the policy. */
static enum status run_verb(int argc, char **argv, bool *changed)
{
	struct invocation invocation = { .verb = verb_find(argv[0]) };
	bool help = false, opens_pins;
	enum status status;

	if (!invocation.verb)
		return verb_unknown(argv[0]);
	status = read_arguments(argc, argv, &invocation, &help);
	if (help) {
		help_verb(invocation.verb);
		return STATUS_DONE;
	}
	*changed = invocation.verb->changes;
	TRY(status);
	/* Everything that needs more rights than the verb's is done before they are dropped. */
	prerequisites_look_around();
	opens_pins = invocation.verb->privilege > PRIVILEGE_FILES;
	if (opens_pins)
		hidden_look_around();
	TRY(privileges_limit(privilege_of(&invocation), invocation.verb->name));
	if (opens_pins)
		change_lock_clear_remains();
	return invocation.verb->run(&invocation);
}

/*
 * Returns what the command ends with: it has failed if its output couldn't be written. But if it has changed the policy (`changed`), it is
 * done, as a command that fails has changed nothing.
 */
static enum status finish_output(enum status status, bool changed)
{
	if ((!fflush(stdout) && !ferror(stdout)) || status != STATUS_DONE)
		return status;
	if (!changed)
		return fail(STATUS_FAILED, "can't write the output: %s", strerror(errno));
	warn("done, but the output can't be written: %s", strerror(errno));
	return STATUS_DONE;
}

int main(int argc, char **argv)
{
	bool changed = false;
	enum status status;

	unsetenv("POSIXLY_CORRECT");           /* options stand anywhere behind the verb, whatever the environment */
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* a message is one write: lines of several processes don't mix */
	if (argc < 2)
		return fail(STATUS_USAGE, "a verb is missing; all of them: sockaccept-ctl help");
	if (argc > 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "--version")))
		return fail(STATUS_USAGE, "surplus argument %s; usage: sockaccept-ctl %s", argv[2], argv[1]);
	if (!strcmp(argv[1], "--help")) {
		help_all();
		return finish_output(STATUS_DONE, false);
	}
	if (!strcmp(argv[1], "--version")) {
		puts("sockaccept-ctl " SOCKACCEPT_VERSION);
		return finish_output(STATUS_DONE, false);
	}
	if (argv[1][0] == '-')
		return fail(STATUS_USAGE, "unknown option %s; options come after the verb: sockaccept-ctl VERB [OPTION...]", argv[1]);
	status = run_verb(argc - 1, argv + 1, &changed);
	return finish_output(status, changed);
}
