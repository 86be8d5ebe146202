/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verifier: what this kernel's verifier says of each program. Loads them, attaches nothing.
 *
 *   verifier OBJECT...
 *
 * Prints a line for each program: the instructions that it consists of, those that the verifier went through (of a million), the
 * states that it kept at most for one instruction and in all, its functions, and the largest stack of one of them in bytes (a chain
 * of calls may have 512 in all).
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define STATISTICS 4 /* Linux, include/linux/bpf_verifier.h: BPF_LOG_STATS */
#define LOG_MAX 8192
#define PROGRAMS_MAX 64

/* Finds the functions, and the largest stack: up to Linux 7.2 in `stack depth 16+320+368`, since then in a line for each function. */
static void read_stacks(const char *log, unsigned *functions, unsigned *largest)
{
	const char *list = strstr(log, "stack depth "), *subprog = strstr(log, "\nsubprog ");
	const char *at = subprog ? strstr(subprog, " stack ") : list ? list + strlen("stack depth") : NULL;

	while (at) {
		char *end;
		unsigned bytes = (unsigned)strtoul(strpbrk(at, "0123456789"), &end, 10);

		(*functions)++;
		if (bytes > *largest)
			*largest = bytes;
		at = subprog ? strstr(end, " stack ") : *end == '+' ? end : NULL;
	}
}

static void print_program(const struct bpf_program *program, const char *log)
{
	const char *counts = strstr(log, "processed ");
	unsigned went = 0, at_one = 0, in_all = 0;
	unsigned functions = 0, largest = 0;

	if (counts)
		sscanf(counts, "processed %u insns (limit %*u) max_states_per_insn %u total_states %u", &went, &at_one, &in_all);
	read_stacks(log, &functions, &largest);
	printf("%-22s %7zu %9u %7u %7u %10u %6u\n", bpf_program__name(program), bpf_program__insn_cnt(program), went, at_one, in_all,
	       functions, largest);
}

static int verify(const char *path)
{
	static char logs[PROGRAMS_MAX][LOG_MAX];
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program = NULL;
	int error, count = 0;

	if (!object)
		return -errno;
	while ((program = bpf_object__next_program(object, program)) && count < PROGRAMS_MAX) {
		bpf_program__set_autoload(program, true);
		bpf_program__set_log_level(program, STATISTICS);
		bpf_program__set_log_buf(program, logs[count++], LOG_MAX);
	}
	error = bpf_object__load(object);
	count = 0;
	while ((program = bpf_object__next_program(object, program)) && count < PROGRAMS_MAX)
		print_program(program, logs[count++]);
	bpf_object__close(object);
	return error;
}

int main(int argc, char **argv)
{
	struct utsname system;
	int status = 0;

	uname(&system);
	printf("Linux %s\n%-22s %7s %9s %7s %7s %10s %6s\n", system.release, "program", "length", "verified", "states", "in all",
	       "functions", "stack");
	for (int i = 1; i < argc; i++) {
		int error = verify(argv[i]);

		if (error) {
			fprintf(stderr, "verifier: %s: %s\n", argv[i], strerror(-error));
			status = 1;
		}
	}
	return status;
}
