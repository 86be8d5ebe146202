/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds out what a rule's path stands for when it isn't the program that its author has in mind: a script, a file that nobody can
 * execute, or a link to a program that has other uses.
 */
#ifndef SOCKACCEPT_PROGRAM_H
#define SOCKACCEPT_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

/* How many interpreters the kernel follows, each the interpreter of the one before (Linux, fs/exec.c: exec_binprm()). */
#define INTERPRETERS_FOLLOWED 5

/*
 * Returns the interpreter in the first line of the file `path`, to be freed, and sets *argument to the rest of the line, to be
 * freed, or to NULL. Returns NULL if it isn't a script, or can't be read.
 */
char *script_interpreter(const char *path, char **argument);

/* Returns true if the interpreter is env(1), which runs another program in its own place. */
bool program_is_env(const char *interpreter);

/* Returns the path of the executable file `name` in one of the usual directories of programs, to be freed, or NULL. */
char *program_on_path(const char *name);

/*
 * Returns a warning, to be freed, if a rule for `path` never matches because the file is a script or is not executable: what the rule
 * does, and what to write instead. Returns NULL otherwise. resolve_policy() has found `resolved` and the file's mode. Aborts without
 * memory.
 */
char *program_never_runs(const char *path, const char *resolved, mode_t mode);

/*
 * Returns a warning, to be freed, if the file's name is a link, so that the rule holds for whoever runs the program that it leads to.
 * Returns NULL otherwise: a link among the directories on the way to the file widens nothing. Aborts without memory.
 */
char *program_behind_link(const char *path, const char *resolved);

#endif
