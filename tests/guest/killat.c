/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * killat: kills a command at a chosen point of its work, or lets a call of it fail.
 *
 *   killat N COMMAND...
 *   killat N:ERRNO COMMAND...  the Nth call isn't made, and fails with this error
 *   killat N+ COMMAND...     the process that makes the Nth call is killed too, if it is one that the command has made
 *   killat 0 COMMAND...      kills nothing, and prints each of those calls with its number
 *
 * Runs the command, and kills it with SIGKILL when it enters the Nth of its system calls that could leave something
 * behind it. The calls of processes that it makes are counted with it; when it is killed, those go on to their end. Prints the call
 * and exits with 0; or, if the command wasn't killed, prints "through after N calls" and exits with its status + 100. strace can
 * inject the same signal, and takes several times as long.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	long number;
	const char *name;
} calls[] = {
	{ SYS_bpf, "bpf" },       { SYS_mkdir, "mkdir" },       { SYS_mkdirat, "mkdirat" },
	{ SYS_unlink, "unlink" }, { SYS_unlinkat, "unlinkat" }, { SYS_rmdir, "rmdir" },
	{ SYS_rename, "rename" }, { SYS_renameat, "renameat" }, { SYS_renameat2, "renameat2" },
	{ SYS_link, "link" },     { SYS_symlink, "symlink" },   { SYS_open, "open" },
	{ SYS_openat, "openat" }, { SYS_flock, "flock" },       { SYS_ftruncate, "ftruncate" },
	{ SYS_write, "write" },   { SYS_mmap, "mmap" },         { SYS_perf_event_open, "perf_event_open" },
	{ SYS_ptrace, "ptrace" },
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

static const char *name_of(long number)
{
	for (size_t i = 0; i < CALLS; i++)
		if (calls[i].number == number)
			return calls[i].name;
	return NULL;
}

/* Opening a file for reading, and mapping it for oneself, leave nothing behind. */
static bool may_change(const struct __ptrace_syscall_info *info)
{
	const uint64_t *args = info->seccomp.args;

	switch (info->seccomp.nr) {
	case SYS_open: return args[1] & (O_WRONLY | O_RDWR | O_CREAT);
	case SYS_openat: return args[2] & (O_WRONLY | O_RDWR | O_CREAT);
	case SYS_mmap: return args[3] & MAP_SHARED;
	default: return name_of((long)info->seccomp.nr);
	}
}

/* Stops at these calls alone: a stop at each call takes several times as long as the command itself. */
static void stop_at_calls(void)
{
	struct sock_filter filter[2 * CALLS + 2];
	struct sock_fprog program = { .filter = filter };

	filter[program.len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < CALLS; i++) {
		filter[program.len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number, 0, 1);
		filter[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	}
	filter[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		perror("killat: PR_SET_SECCOMP");
}

static void start(char **command)
{
	dup2(STDERR_FILENO, STDOUT_FILENO);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	stop_at_calls();
	execvp(command[0], command);
	fprintf(stderr, "killat: %s: %s\n", command[0], strerror(errno));
	_exit(127);
}

static void print_call(unsigned long call, const struct __ptrace_syscall_info *info)
{
	printf("%lu %s", call, name_of((long)info->seccomp.nr));
	if (info->seccomp.nr == SYS_bpf)
		printf(" %llu", (unsigned long long)info->seccomp.args[0]);
	puts("");
}

/* The call that the child is about to make isn't made, and ends with this error. */
static void let_fail(pid_t child, int error)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, child, NULL, &regs))
		perror("killat: PTRACE_GETREGS");
	regs.orig_rax = (unsigned long long)-1;
	regs.rax = (unsigned long long)-error;
	if (ptrace(PTRACE_SETREGS, child, NULL, &regs))
		perror("killat: PTRACE_SETREGS");
}

/*
 * What a process that has stopped is to get. SIGTRAP is the tracer's own: after exec, and with the call in the next byte; and so is
 * SIGSTOP, with which a new process begins.
 */
static int signal_of(int status)
{
	return WSTOPSIG(status) == SIGTRAP || WSTOPSIG(status) == SIGSTOP ? 0 : WSTOPSIG(status);
}

/*
 * Lets the process *stopped go on, and waits for the next stop, of the child or of a process that it has made, which *stopped is then.
 * False: the child has ended, with *status.
 */
static bool next_stop(pid_t child, pid_t *stopped, int signal, int *status)
{
	/* Gone, if it was killed meanwhile. */
	if (ptrace(PTRACE_CONT, *stopped, NULL, (void *)(uintptr_t)signal) && errno != ESRCH)
		perror("killat: PTRACE_CONT");
	do {
		*stopped = waitpid(-1, status, __WALL);
		if (*stopped < 0)
			perror("killat: waitpid");
	} while (*stopped > 0 && *stopped != child && !WIFSTOPPED(*status));
	return WIFSTOPPED(*status);
}

/* The processes that the command has made go on to their end, and the signals that reach them do their work. */
static void let_others_end(pid_t stopped)
{
	int signal = 0, status;

	do {
		ptrace(PTRACE_CONT, stopped, NULL, (void *)(uintptr_t)signal);
		stopped = waitpid(-1, &status, __WALL);
		signal = signal_of(status);
	} while (stopped > 0);
}

/* The command's first process dies; or all at once. */
static void kill_command(pid_t child, pid_t stopped, bool all)
{
	int status;

	kill(child, SIGKILL);
	if (stopped != child && all)
		kill(stopped, SIGKILL);
	waitpid(child, &status, 0);
	let_others_end(stopped);
}

/* `error`: with which the call fails; 0: it is killed instead; with `all`, so is a process that it has made, if that makes the call. */
static int run(pid_t child, unsigned long wanted, int error, bool all)
{
	unsigned long call = 0;
	pid_t stopped = child;
	int status, signal = 0;

	waitpid(child, &status, 0);
	ptrace(PTRACE_SETOPTIONS, child, NULL,
	       (void *)(PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL));
	while (next_stop(child, &stopped, signal, &status)) {
		struct __ptrace_syscall_info info = { 0 };

		signal = signal_of(status);
		if (status >> 8 != (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
			continue;
		ptrace(PTRACE_GET_SYSCALL_INFO, stopped, (void *)sizeof(info), &info);
		if (info.op != PTRACE_SYSCALL_INFO_SECCOMP || !may_change(&info))
			continue;
		call++;
		if (!wanted || call == wanted)
			print_call(call, &info);
		if (call != wanted)
			continue;
		if (error) {
			let_fail(stopped, error);
			continue;
		}
		kill_command(child, stopped, all);
		return 0;
	}
	printf("through after %lu calls\n", call);
	return 100 + (WIFEXITED(status) ? WEXITSTATUS(status) : 99);
}

int main(int argc, char **argv)
{
	char *end;
	unsigned long wanted;
	pid_t child;

	if (argc < 3) {
		fputs("usage: killat N[:ERRNO|+] COMMAND...\n", stderr);
		return 2;
	}
	child = fork();
	if (!child)
		start(argv + 2);
	wanted = strtoul(argv[1], &end, 10);
	return run(child, wanted, *end == ':' ? atoi(end + 1) : 0, *end == '+');
}
