/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recognises accept(2) among system calls of other threads: as /proc shows them, and as a tracer finds them interrupted.
 */
#ifndef SOCKACCEPT_ACCEPT_CALL_H
#define SOCKACCEPT_ACCEPT_CALL_H

#include <stdbool.h>
#include <stdint.h>

/* Where a thread is. */
enum call_state {
	CALL_NONE,    /* it sleeps or is stopped, in no system call */
	CALL_RUNNING, /* it has a processor, or waits for one: its call can't be told */
	CALL_KNOWN,   /* it sleeps or is stopped in a system call */
};

struct call {
	enum call_state state;
	uint32_t number; /* in the system call table by which the thread entered the kernel */
	uint64_t arguments[6];
};

/*
 * Reads `text`, the content of /proc/PID/task/TID/syscall (Linux, fs/proc/base.c: proc_pid_syscall()), into *call. Returns false, and
 * leaves *call alone, if it is no such text.
 */
bool call_parse(const char *text, struct call *call);

/* What a call is. */
enum accept_kind {
	ACCEPT_NOT,       /* another call, or none */
	ACCEPT_BY_NUMBER, /* accept(2): its listener is *fd */
	ACCEPT_BY_MEMORY, /* accept(2) by socketcall(2): its listener is the first int at *address in the caller's memory */
};

/*
 * Returns what `call` is, and sets *fd or *address accordingly. On x86-64, the number of a thread that sleeps shows by which table it
 * entered: 43 and 288 are accept and accept4 in the 64-bit table (also with the bit of x32), 364 is accept4 and 102 is socketcall in the
 * 32-bit one. In the respective other table 364 is nothing, and 43 (times) and 102 (getuid) never sleep. 288 is keyctl there, which can
 * sleep, but seldom does: such a thread is taken for one in accept4 if keyctl's first argument, its operation, happens to be the descriptor
 * of a listener too.
 */
enum accept_kind accept_call_kind(const struct call *call, int *fd, uint64_t *address);

/*
 * Returns true if a thread that a tracer has stopped is on its way out of accept(2) with an error that its program would see only because
 * it was interrupted: EINTR, where the listener has SO_RCVTIMEO (Linux, net/core/sock.c: sock_intr_errno()). Without that option the
 * kernel restarts the call by itself. `compat` says that it entered by the 32-bit table; `number` and `result` are orig_rax and rax.
 */
bool accept_call_lost_restart(bool compat, int64_t number, int64_t result);

/*
 * The result with which the kernel restarts the call unseen: its internal ERESTARTNOHAND. If a signal comes for which the program has a
 * handler, the call still ends with EINTR, as it would have (Linux, arch/x86/kernel/signal.c: handle_signal()).
 */
#define ACCEPT_CALL_RESTART (-514)

#endif
