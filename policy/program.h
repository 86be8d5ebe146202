/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a rule's path stands for, where that isn't the program that its author thinks of: a script, a file that nobody can
 * execute, a link to a program that others use too.
 */
#ifndef SOCKACCEPT_PROGRAM_H
#define SOCKACCEPT_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

/* So many interpreters of interpreters the kernel follows (Linux, fs/exec.c: exec_binprm()). */
#define INTERPRETERS_FOLLOWED 5

/*
 * Returns the interpreter in the first line of the file `path`, to be freed, and sets *argument to the rest of the line, to be
 * freed, or to NULL. Returns NULL if it isn't a script, or can't be read.
 */
char *script_interpreter(const char *path, char **argument);

/* Returns true if the interpreter is env(1), which runs another program in its own place. */
bool program_is_env(const char *interpreter);

/* Returns the path of the executable file `name` in one of the usual directories of programs, to be freed; NULL: there is none. */
char *program_on_path(const char *name);

/*
 * Each returns a warning about a rule for `path`, which resolve_policy() has found to stand for `resolved`, a file with this
 * mode: what the rule does, and then what to say instead. To be freed; NULL: there is nothing to say. Aborts without memory.
 *
 * The first one: no process is ever this file, as it is a script or not executable.
 * The second one: the file's name is a link, so the rule holds for whoever runs the program that it leads to. A link among
 * the directories on the way to the file widens nothing.
 */
char *program_never_runs(const char *path, const char *resolved, mode_t mode);
char *program_behind_link(const char *path, const char *resolved);

#endif
