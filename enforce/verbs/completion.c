/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints the completion script for bash, made from the table of verbs.
 */
#include "enforce/verbs/completion.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "enforce/verbs/verb.h"

static const char head[] = "# bash completion for sockaccept-ctl; made by `sockaccept-ctl help --completion`\n"
			   "_sockaccept_ctl() {\n"
			   "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options= words= files=\n"
			   "\tCOMPREPLY=()\n"
			   "\tcase $before in\n";

static const char tail[] = "\tesac\n"
			   "\tif [[ $word == -* ]]; then\n"
			   "\t\tCOMPREPLY=($(compgen -W \"$options --help\" -- \"$word\"))\n"
			   "\t\treturn\n"
			   "\tfi\n"
			   "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
			   "\tif [[ $files ]]; then\n"
			   "\t\tlocal IFS=$'\\n'\n"
			   "\t\tcompopt -o filenames 2>/dev/null\n"
			   "\t\tCOMPREPLY+=($(compgen -f -- \"$word\"))\n"
			   "\tfi\n"
			   "}\n"
			   "complete -F _sockaccept_ctl sockaccept-ctl\n";

/* Returns what can follow an option with this argument, as options of compgen; "" if that isn't known. */
static const char *values_of(const char *argument)
{
	if (!strcmp(argument, "FILE") || !strcmp(argument, "PATH"))
		return "-f";
	if (!strcmp(argument, "VERDICT"))
		return "-W 'allow deny'";
	return "";
}

/* Users are named by --user; NAME alone is that of a unit. */
static const char *values_of_option(const struct option_row *row)
{
	return row->option == OPTION_USER ? "-u" : values_of(row->argument);
}

static void print_option_values(void)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option_row *row = &option_rows[i];
		const char *values = row->argument ? values_of_option(row) : "";

		if (!row->argument)
			continue;
		printf("\t--%s)\n", row->name);
		if (*values)
			printf("\t\tlocal IFS=$'\\n'\n\t\tCOMPREPLY=($(compgen %s -- \"$word\"))\n", values);
		printf("\t\treturn\n\t\t;;\n");
	}
}

static void print_verb_names(void)
{
	for (size_t i = 0; i < verb_count; i++)
		printf("%s%s", i ? " " : "", verbs[i].name);
}

/* In the usage of a verb, words such as `enforce|permissive` are written as they stand; FILE and the like stand for something. */
static void print_words(const struct verb *verb)
{
	if (islower((unsigned char)verb->arguments[0]))
		for (const char *c = verb->arguments; *c; c++)
			putchar(*c == '|' ? ' ' : *c);
	else if (strstr(verb->arguments, "VERB"))
		print_verb_names();
	else if (strstr(verb->arguments, "BINARY"))
		fputs("any", stdout);
}

static void print_verb(const struct verb *verb)
{
	bool files = strstr(verb->arguments, "FILE") || strstr(verb->arguments, "BINARY") || strstr(verb->arguments, "PATH");

	printf("\t%s)\n\t\toptions='", verb->name);
	for (size_t i = 0; i < OPTIONS; i++)
		if (verb->options & TAKES(option_rows[i].option))
			printf("--%s ", option_rows[i].name);
	fputs("'\n\t\twords='", stdout);
	print_words(verb);
	printf("'\n\t\tfiles=%s\n\t\t;;\n", files ? "1" : "");
}

void completion_print(void)
{
	fputs(head, stdout);
	print_option_values();
	fputs("\tesac\n\tif ((COMP_CWORD == 1)); then\n\t\tCOMPREPLY=($(compgen -W '", stdout);
	print_verb_names();
	fputs(" --help --version' -- \"$word\"))\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n", stdout);
	for (size_t i = 0; i < verb_count; i++)
		print_verb(&verbs[i]);
	fputs(tail, stdout);
}
