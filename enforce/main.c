/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sockaccept-ctl: reads the command line and runs a verb.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "enforce/verb.h"

#ifndef SOCKACCEPT_VERSION
#define SOCKACCEPT_VERSION "0.1"
#endif

static const struct option long_options[] = {
	{ "json", no_argument, NULL, OPTION_JSON },   { "user", required_argument, NULL, OPTION_USER },
	{ "all", no_argument, NULL, OPTION_ALL },     { "follow", no_argument, NULL, OPTION_FOLLOW },
	{ "ports", no_argument, NULL, OPTION_PORTS }, { "help", no_argument, NULL, 'h' },
	{ 0 },
};

static enum status usage(const struct verb *verb, const char *what, const char *about)
{
	return fail(STATUS_USAGE, "%s%s; usage: sockaccept-ctl %s%s%s", what, about, verb->name,
		    *verb->arguments ? " " : "", verb->arguments);
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

/* Reads the options and arguments behind the verb. *help: the verb's help was asked for. */
static enum status read_arguments(int argc, char **argv, struct invocation *invocation, bool *help)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		const char *given = argv[optind - 1];

		if (option == 'h') {
			*help = true;
			return STATUS_DONE;
		}
		if (option == ':')
			return usage(invocation->verb, "a value is missing after ", given);
		if (option == '?')
			return usage(invocation->verb, "unknown option ", given);
		if (!(invocation->verb->options & (unsigned)option))
			return usage(invocation->verb, "this verb doesn't take ", given);
		invocation->options |= (unsigned)option;
		if (option == OPTION_USER)
			invocation->user = optarg;
	}
	invocation->arguments = argv + optind;
	invocation->count = argc - optind;
	return check_count(invocation);
}

static enum status run_verb(int argc, char **argv)
{
	struct invocation invocation = { .verb = verb_find(argv[0]) };
	bool help = false;
	enum status status;

	if (!invocation.verb)
		return verb_unknown(argv[0]);
	status = read_arguments(argc, argv, &invocation, &help);
	if (help) {
		help_verb(invocation.verb);
		return STATUS_DONE;
	}
	if (status == STATUS_DONE)
		status = privileges_limit(invocation.verb->privilege, invocation.verb->name);
	if (status == STATUS_DONE)
		status = invocation.verb->run(&invocation);
	return status;
}

/* What was printed must have got where it should, or the command has failed. */
static enum status finish_output(enum status status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	return status ? status : fail(STATUS_FAILED, "can't write the output: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return fail(STATUS_USAGE, "a verb is missing; all of them: sockaccept-ctl help");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		help_all();
		return finish_output(STATUS_DONE);
	}
	if (!strcmp(argv[1], "--version")) {
		puts("sockaccept-ctl " SOCKACCEPT_VERSION);
		return finish_output(STATUS_DONE);
	}
	return finish_output(run_verb(argc - 1, argv + 1));
}
