/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What it costs to execute a program, and to fork, in guest instructions (ticks.h says how they are counted).
 *
 *   process exec COUNT PROGRAM    from before execve() to PROGRAM's main(); PROGRAM is a copy of this one
 *   process fork COUNT            from before fork() until the child, which ends at once, has been waited for
 *
 * Prints the median of COUNT.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ticks.h"

#define WARM_UP 20

static void die(const char *what)
{
	fprintf(stderr, "process: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t execute_once(char *program)
{
	uint64_t ticks = 0;
	int ends[2];
	pid_t child;

	if (pipe(ends))
		die("pipe");
	child = vfork();
	if (child < 0)
		die("vfork");
	if (!child) {
		char start[24], out[12];
		char *arguments[] = { program, (char *)"stamp", start, out, NULL };

		snprintf(out, sizeof(out), "%d", ends[1]);
		snprintf(start, sizeof(start), "%" PRIu64, (uint64_t)__rdtsc());
		execv(program, arguments);
		_exit(1);
	}
	if (read(ends[0], &ticks, sizeof(ticks)) != sizeof(ticks))
		die("the program that was executed");
	waitpid(child, NULL, 0);
	close(ends[0]);
	close(ends[1]);
	return ticks;
}

static uint64_t fork_once(void)
{
	uint64_t start = __rdtsc();
	pid_t child = fork();

	if (child < 0)
		die("fork");
	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
	return __rdtsc() - start;
}

int main(int argc, char **argv)
{
	uint64_t now = __rdtsc(), *samples;
	size_t count = argc >= 3 ? (size_t)atoi(argv[2]) : 0;

	if (argc == 4 && !strcmp(argv[1], "stamp")) {
		now -= strtoull(argv[2], NULL, 10);
		return write(atoi(argv[3]), &now, sizeof(now)) != sizeof(now);
	}
	if (!count || (argc != 4 && strcmp(argv[1], "fork") != 0)) {
		fprintf(stderr, "usage: process exec COUNT PROGRAM | process fork COUNT\n");
		return 2;
	}
	samples = calloc(count, sizeof(*samples));
	for (size_t i = 0; i < count + WARM_UP; i++) {
		uint64_t ticks = argc == 4 ? execute_once(argv[3]) : fork_once();

		if (i >= WARM_UP) /* the first ones find nothing in place yet */
			samples[i - WARM_UP] = ticks;
	}
	printf("%" PRIu64 "\n", median_instructions(samples, count));
	free(samples);
	return 0;
}
