/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds out whether the file that a path stands for is a program that runs as itself: no script, executable, no link.
 */
#include "policy/program.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/cleanup.h"
#include "policy/resolve.h"
#include "policy/text.h"

/* How much of a script's first line the kernel reads. */
#define FIRST_LINE 256

#define EXECUTABLE (S_IXUSR | S_IXGRP | S_IXOTH)

char *script_interpreter(const char *path, char **argument)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	char line[FIRST_LINE] = "", *at = line + 2, *word;
	ssize_t length = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);

	*argument = NULL;
	if (length < 3 || strncmp(line, "#!", 2) != 0)
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	at += strspn(at, " \t");
	word = strsep(&at, " \t");
	if (!*word)
		return NULL;
	*argument = at && *text_trim(at) ? must(strdup(text_trim(at))) : NULL;
	return must(strdup(word));
}

char *program_on_path(const char *name)
{
	static const char *const places[] = {
		"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
	};
	struct stat st;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char *path = path_join(places[i], name);

		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & EXECUTABLE)
			return path;
		free(path);
	}
	return NULL;
}

/* ---------------------------------------------------------------------------------------------
 * Scripts
 */

bool program_is_env(const char *interpreter)
{
	const char *name = strrchr(interpreter, '/');

	return name && !strcmp(name, "/env");
}

/* Returns the program that `env ARGUMENT` runs, as it is written there, to be freed, or NULL if that can't be found out. */
static char *word_for_env(const char *argument)
{
	_cleanup_free_ char *copy = must(strdup(argument ? argument : ""));
	char *rest = copy, *word;

	while ((word = strsep(&rest, " \t"))) {
		if (!strncmp(word, "-S", 2))
			word += 2;
		if (!*word || strchr(word, '=')) /* a variable, or --split-string= */
			continue;
		return *word == '-' ? NULL : must(strdup(word));
	}
	return NULL;
}

/* Returns in words what to name instead of the script `path`, or NULL if it isn't a script. */
static char *name_interpreter(const char *path)
{
	_cleanup_free_ char *argument = NULL, *word = NULL, *found = NULL;
	char *interpreter = script_interpreter(path, &argument);

	if (!interpreter || !program_is_env(interpreter))
		return interpreter;
	free(interpreter);
	word = word_for_env(argument);
	if (!word)
		return text_format("the program that env runs for it");
	if (strchr(word, '/'))
		return TAKE_PTR(word);
	found = program_on_path(word);
	if (found)
		return text_format("%s (what env finds along the usual PATH)", found);
	return text_format("the %s that env finds along the PATH of whoever runs it", word);
}

/* Does the same, and follows interpreters that are scripts themselves. */
static char *name_last_interpreter(const char *path)
{
	char *last = name_interpreter(path);

	for (int i = 1; last && i < INTERPRETERS_FOLLOWED; i++) {
		char *next = *last == '/' ? name_interpreter(last) : NULL;

		if (!next)
			break;
		free(last);
		last = next;
	}
	return last;
}

char *program_never_runs(const char *path, const char *resolved, mode_t mode)
{
	_cleanup_free_ char *interpreter = name_last_interpreter(resolved);

	if (interpreter)
		return text_format("%s: a script, so the rule never matches; name its interpreter, %s, or the program that the script "
				   "starts",
				   path, interpreter);
	if (!(mode & EXECUTABLE))
		return text_format("%s: not executable (mode %04o), so the rule never matches; chmod +x it, or name the program that "
				   "reads it",
				   path, mode & 07777);
	return NULL;
}

/* ---------------------------------------------------------------------------------------------
 * Links
 */

char *program_behind_link(const char *path, const char *resolved)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *given = NULL, *directory = NULL, *entry = NULL;

	if (!slash || !strcmp(path, resolved))
		return NULL;
	given = path_directory(path);
	directory = realpath(given, NULL);
	entry = directory ? path_join(directory, slash + 1) : NULL;
	if (!entry || !strcmp(entry, resolved))
		return NULL;
	return text_format("%s: a link, so the rule stands for %s, and everyone who runs that program gets it; to narrow it, add "
			   "user = ... or name a copy of the program",
			   path, resolved);
}
