/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asking again: the hook decides when accept(2) is entered, so a thread that waits in it was judged by the policy of that time. After
 * a change, threads that wait on a listener which the policy in force denies are made to enter accept(2) once more, and get EPERM.
 *
 * Not found is a thread whose descriptor of the listener has been closed since, or replaced; and a worker of an io_uring that waits
 * for an accept with IOSQE_ASYNC, which can't be traced either. An accept that an io_uring has armed needs no asking, single or
 * multishot: the kernel calls the hook for it when a connection comes.
 */
#ifndef SOCKACCEPT_ASK_AGAIN_H
#define SOCKACCEPT_ASK_AGAIN_H

#include <stddef.h>
#include <stdint.h>

#include "enforce/kernel/kernel.h"
#include "enforce/kernel/listeners.h"
#include "policy/image.h"

enum unasked_why {
	UNASKED_TRACED,  /* a debugger has it, and a thread has one tracer at most */
	UNASKED_REFUSED, /* the kernel lets this process neither look at it nor trace it */
	UNASKED_STUCK,   /* it didn't stop within a second */
};

/* A process with a thread that couldn't be asked, and that may take one more connection. */
struct unasked {
	uint32_t pid;
	enum unasked_why why; /* of the first such thread */
	char *program;        /* as listener_program() has it */
	char place[LISTENER_TEXT_MAX]; /* a listener of its that is denied */
};

/* Zero-initialised is empty. */
struct asked_again {
	size_t threads; /* that were asked */
	struct unasked *list;
	size_t count;
};

/*
 * Has each thread that waits in accept(2) on a listener which the policy of `image` denies enter the hook once more. `image` is that
 * of the policy in force, in which its binaries have the numbers of the kernel side; with mode permissive, nobody is asked. `listeners`: as listeners_find_each()
 * gives them. Looks at processes that hold such a listener, and at no others. Takes 3 s at most, and much less unless threads don't stop.
 * Fills `asked`, which is empty.
 */
void ask_again(const struct listeners *listeners, const struct image *image, struct asked_again *asked);

/* Warns of the processes that couldn't be asked: with a line for each of the first few, and their number. */
void asked_again_warn(const struct asked_again *asked);

/* Frees what it holds; it is empty then. */
void asked_again_clear(struct asked_again *asked);

#endif
