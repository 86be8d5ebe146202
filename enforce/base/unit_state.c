/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks by running systemctl, as a D-Bus library would be one more dependency.
 */
#include "enforce/base/unit_state.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/cleanup.h"

bool systemd_is_running(void)
{
	return !access("/run/systemd/system", F_OK);
}

/* Starts systemctl. Its output can be read from *output. Returns 0 or -errno. */
static int ask(const char *unit, pid_t *child, int *output)
{
	static const char *const places[] = { "/usr/bin/systemctl", "/bin/systemctl" };
	char *const arguments[] = { "systemctl", "show", "--property=LoadState,ActiveState,Result,UnitFileState", (char *)unit, NULL };
	char *const environment[] = { "LC_ALL=C", NULL };
	posix_spawn_file_actions_t actions;
	int ends[2], error;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	error = posix_spawn(child, places[access(places[0], X_OK) ? 1 : 0], &actions, NULL, arguments, environment);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	*output = ends[0];
	if (error)
		close(ends[0]);
	return -error;
}

static void take_property(const char *line, const char *name, char *value, size_t size)
{
	size_t length = strlen(name);

	if (!strncmp(line, name, length) && line[length] == '=')
		snprintf(value, size, "%s", line + length + 1);
}

int unit_state(const char *unit, struct unit_state *state)
{
	_cleanup_fclose_ FILE *stream = NULL;
	char line[256];
	pid_t child = -1;
	int output = -1, status, error;

	*state = (struct unit_state){ 0 };
	error = ask(unit, &child, &output);
	if (error)
		return error;
	stream = must(fdopen(output, "re"));
	while (fgets(line, sizeof(line), stream)) {
		line[strcspn(line, "\n")] = '\0';
		take_property(line, "LoadState", state->load, sizeof(state->load));
		take_property(line, "ActiveState", state->active, sizeof(state->active));
		take_property(line, "Result", state->result, sizeof(state->result));
		take_property(line, "UnitFileState", state->file, sizeof(state->file));
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}
