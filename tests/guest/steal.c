/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * steal: has an io_uring accept while the registers still say accept(2) with an address that no process can write to. Whoever judges by the
 * registers alone takes it for a call that can only lose the connection.
 *
 *   steal PORT
 *
 * A process listens there, has a client of its own wait in the queue, and queues an accept in an io_uring for when a pipe can be read. Another
 * one traces it: it stops it at the entry of such an accept(2), and makes the pipe readable. Before the next stop, for seccomp(2), the kernel
 * does what is queued (Linux, kernel/signal.c: ptrace_notify()). Prints what a plain accept() returns, and what the io_uring's does: "a
 * connection", or the error's name.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(int works, const char *what)
{
	if (works)
		return;
	fprintf(stderr, "steal: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int listen_with_client(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), client = socket(AF_INET, SOCK_STREAM, 0);

	must(!bind(listener, (struct sockaddr *)&address, sizeof(address)) && !listen(listener, 4), "listen");
	must(!connect(client, (struct sockaddr *)&address, sizeof(address)), "connect");
	return listener;
}

static void print_result(const char *what, int result)
{
	printf("%s: %s\n", what, result >= 0 ? "a connection" : strerrorname_np(-result));
}

/* From here on, accept(2) stops for the tracer once more, after the stop at its entry. */
static void stop_accept(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_accept, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(filter) / sizeof(filter[0]), .filter = filter };

	must(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "seccomp");
}

/* An accept that begins when the pipe can be read. */
static void queue_accept(struct io_uring *ring, int pipe, int listener)
{
	struct io_uring_sqe *sqe;

	must(!io_uring_queue_init(8, ring, 0), "io_uring_queue_init");
	sqe = io_uring_get_sqe(ring);
	io_uring_prep_poll_add(sqe, pipe, POLLIN);
	sqe->flags |= IOSQE_IO_LINK;
	sqe = io_uring_get_sqe(ring);
	io_uring_prep_accept(sqe, listener, NULL, NULL, 0);
	sqe->user_data = 1;
	must(io_uring_submit(ring) == 2, "io_uring_submit");
}

static void be_traced(uint16_t port, int pipe)
{
	int listener = listen_with_client(port), accepted;
	struct sockaddr_storage address;
	struct io_uring ring;
	struct io_uring_cqe *cqe;

	accepted = accept(listener, NULL, NULL);
	print_result("accept", accepted >= 0 ? accepted : -errno);
	queue_accept(&ring, pipe, listener);
	stop_accept();
	must(!ptrace(PTRACE_TRACEME, 0, NULL, NULL) && !raise(SIGSTOP), "ptrace");
	syscall(SYS_accept, listener, &address, (void *)-4096L);
	do {
		must(!io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
		if (cqe->user_data == 1)
			print_result("io_uring", cqe->res);
		else
			io_uring_cqe_seen(&ring, cqe);
	} while (cqe->user_data != 1);
	fflush(stdout);
	_exit(0);
}

/* Lets it go on to its next stop. */
static int next_stop(pid_t pid, int request)
{
	int status;

	must(!ptrace(request, pid, NULL, NULL) && waitpid(pid, &status, 0) == pid, "waitpid");
	return status;
}

int main(int argc, char **argv)
{
	struct user_regs_struct registers = { 0 };
	int ends[2], status;
	pid_t pid;

	must(!pipe(ends), "pipe");
	pid = fork();
	if (!pid)
		be_traced(argc == 2 ? (uint16_t)atoi(argv[1]) : 0, ends[0]);
	must(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status), "the traced process");
	must(!ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD)), "ptrace");
	while (registers.orig_rax != SYS_accept) {
		next_stop(pid, PTRACE_SYSCALL);
		must(!ptrace(PTRACE_GETREGS, pid, NULL, &registers), "PTRACE_GETREGS");
	}
	must(write(ends[1], "x", 1) == 1, "write");
	status = next_stop(pid, PTRACE_SYSCALL);
	must(status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8), "the stop for seccomp");
	must(!ptrace(PTRACE_DETACH, pid, NULL, NULL) && waitpid(pid, &status, 0) == pid, "the end");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
