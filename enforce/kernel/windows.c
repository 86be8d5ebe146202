/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs the program `close_windows`, again if need be.
 */
#include "enforce/kernel/windows.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <time.h>

/* Sweeps for calls that ended unseen must be this far apart (bpf/settle.bpf.h: SWEEP_NS), and the third settles the last of them. */
#define SWEEPS 3
#define SWEEP_NS 21000000L

static int close_once(const struct kernel *kernel, struct closing *closing)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = closing, .ctx_size_in = sizeof(*closing));

	return bpf_prog_test_run_opts(kernel->fd[PROGRAM_CLOSE_WINDOWS], &options) ? -errno : 0;
}

int windows_close(const struct kernel *kernel, uint64_t age)
{
	const struct timespec pause = { .tv_nsec = SWEEP_NS };
	struct closing closing = { .age = age };
	int error;

	if (kernel->fd[PROGRAM_CLOSE_WINDOWS] < 0)
		return 0;
	error = close_once(kernel, &closing);
	/* A command that reads once must see all. One that follows (age 0) comes again anyway. */
	for (int i = 1; i < SWEEPS && !error && age && closing.left; i++) {
		nanosleep(&pause, NULL);
		error = close_once(kernel, &closing);
	}
	return error;
}
