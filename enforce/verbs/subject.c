/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds out about a program or a process what `identify` has to know of it.
 */
#include "enforce/verbs/subject.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enforce/base/link_target.h"
#include "policy/cleanup.h"
#include "policy/grow.h"
#include "policy/program.h"
#include "policy/resolve.h"
#include "policy/text.h"

void subject_note(struct subject *subject, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	APPEND(subject->notes, subject->note_count, text_format_list(format, arguments));
	va_end(arguments);
}

void subject_why(struct subject *subject, const char *why)
{
	free(subject->why);
	subject->why = must(strdup(why));
}

void subject_clear(struct subject *subject)
{
	for (size_t i = 0; i < subject->note_count; i++)
		free(subject->notes[i]);
	free(subject->notes);
	free(subject->why);
	free(subject->comm);
	free(subject->file);
	if (subject->fd >= 0)
		close(subject->fd);
	*subject = (struct subject)SUBJECT_INIT;
}

/* ---------------------------------------------------------------------------------------------
 * Programs
 */

/* env(1) runs another program in its place. Which one, depends on the PATH of whoever starts the script. */
static void note_env(struct subject *subject, const char *interpreter, const char *argument)
{
	if (program_is_env(interpreter))
		subject_note(subject,
			     "env goes on to run %s, found by the PATH of whoever starts the script: ask for the program "
			     "that it finds",
			     argument ? argument : "a program");
}

static enum status resolve(struct subject *subject, const char *path)
{
	_cleanup_free_ char *resolved = NULL;
	_cleanup_free_ char *problem = resolve_path(path, &resolved, &subject->missing);

	if (problem)
		return fail(STATUS_FAILED, "%s", problem);
	if (strcmp(path, resolved) != 0)
		subject_note(subject, "%s leads to %s", path, resolved);
	free(subject->file);
	subject->file = TAKE_PTR(resolved);
	return STATUS_DONE;
}

/* Goes from a script to the program that the kernel will run for it. */
static enum status follow_interpreters(struct subject *subject)
{
	for (int i = 0; i < INTERPRETERS_FOLLOWED; i++) {
		_cleanup_free_ char *argument = NULL;
		_cleanup_free_ char *interpreter = script_interpreter(subject->file, &argument);

		if (!interpreter)
			return STATUS_DONE;
		subject_note(subject, "%s is a script: its interpreter %s is judged in its place", subject->file, interpreter);
		note_env(subject, interpreter, argument);
		if (*interpreter != '/')
			return fail(STATUS_FAILED, "%s: the interpreter %s has no absolute path; fix the script's first line",
				    subject->file, interpreter);
		TRY(resolve(subject, interpreter));
	}
	return STATUS_DONE;
}

static void note_mode(struct subject *subject)
{
	struct stat st;

	if (fstat(subject->fd, &st))
		return;
	if (!(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		subject_note(subject, "it is not executable (mode %04o)", st.st_mode & 07777);
	if (st.st_mode & S_ISUID)
		subject_note(subject, "it is set-user-ID: whoever runs it, rules see the user %u", st.st_uid);
}

static enum status open_file(struct subject *subject)
{
	_cleanup_free_ char *directory = path_directory(subject->file);

	subject->name = strrchr(subject->file, '/') + 1;
	if (subject->missing) {
		subject_note(subject, "there is no such file yet");
		subject->fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	} else {
		subject->fd = open(subject->file, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	if (subject->fd < 0)
		return fail(STATUS_FAILED, "%s: %s", subject->file, strerror(errno));
	if (!subject->missing)
		note_mode(subject);
	return STATUS_DONE;
}

enum status subject_path(struct subject *subject, const char *path)
{
	if (*path != '/')
		return fail(STATUS_USAGE, "%s: neither an absolute path nor the number of a process; give one of them", path);
	TRY(resolve(subject, path));
	TRY(follow_interpreters(subject));
	return open_file(subject);
}

/* ---------------------------------------------------------------------------------------------
 * Processes
 */

static FILE *open_proc(const char *pid, const char *name)
{
	_cleanup_free_ char *path = text_format("/proc/%s/%s", pid, name);

	return fopen(path, "re");
}

static void read_status(struct subject *subject, const char *pid)
{
	_cleanup_fclose_ FILE *stream = open_proc(pid, "status");
	char line[256];

	while (stream && fgets(line, sizeof(line), stream)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "Name:\t", 6) && !subject->comm)
			subject->comm = must(strdup(line + 6));
		else if (sscanf(line, "Uid: %*u %" SCNu32, &subject->uid) == 1)
			subject->has_uid = true;
	}
}

/* Returns true if the process has another namespace of this kind than process 1. */
static bool has_own_namespace(const char *pid, const char *kind)
{
	_cleanup_free_ char *path = text_format("/proc/%s/ns/%s", pid, kind), *init = text_format("/proc/1/ns/%s", kind);
	struct stat theirs, ours;

	return !stat(path, &theirs) && !stat(init, &ours) && theirs.st_ino != ours.st_ino;
}

static enum status open_executable(struct subject *subject, const char *pid)
{
	_cleanup_free_ char *path = text_format("/proc/%s/exe", pid);

	subject->file = link_target(path);
	if (subject->file)
		subject->fd = open(path, O_PATH | O_CLOEXEC);
	if (subject->fd >= 0)
		return STATUS_DONE;
	if (errno != ENOENT)
		return fail(STATUS_FAILED, "%s: %s", path, strerror(errno));
	subject_note(subject, "a thread of the kernel, or a process that has ended: it has no executable");
	return STATUS_DONE;
}

enum status subject_process(struct subject *subject, const char *pid)
{
	_cleanup_free_ char *path = text_format("/proc/%s", pid);
	struct stat st;

	if (strlen(pid) > 9 || stat(path, &st))
		return fail(STATUS_FAILED, "there is no process %s", pid);
	subject->pid = (unsigned)strtoul(pid, NULL, 10);
	read_status(subject, pid);
	TRY(open_executable(subject, pid));
	subject->own_mounts = has_own_namespace(pid, "mnt");
	if (subject->own_mounts)
		subject_note(subject, "it is in a mount namespace of its own, where the same path can be another file");
	if (has_own_namespace(pid, "user"))
		subject_note(subject, "it is in a user namespace; rules see the user %u that it is outside of it", subject->uid);
	return STATUS_DONE;
}

void subject_note_unlinked(struct subject *subject)
{
	size_t length = subject->file ? strlen(subject->file) : 0, suffix = strlen(UNLINKED_SUFFIX);
	struct stat st;

	if (length > suffix && !strcmp(subject->file + length - suffix, UNLINKED_SUFFIX))
		subject->file[length - suffix] = '\0';
	if (subject->file && !strncmp(subject->file, "/memfd:", 7))
		subject_note(subject, "its file is in memory alone, and never had a name that a rule could give");
	else if (subject->file && !subject->own_mounts && !lstat(subject->file, &st))
		subject_note(subject, "its file was replaced since it started: the process stays what it was until it exits");
	else
		subject_note(subject, "its file was deleted since it started: the process stays what it was until it exits");
}
