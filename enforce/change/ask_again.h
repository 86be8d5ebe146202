/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asking again: the hook decides when accept(2) is entered, so a thread that waits in it was judged by the policy of that time. After a
 * change, threads that wait on a listener which the policy in force denies are made to enter accept(2) once more, and get EPERM.
 *
 * Two kinds of threads are not found: one whose descriptor of the listener has been closed or replaced since; and a worker of an io_uring
 * that waits for an accept with IOSQE_ASYNC, which can't be traced either. An accept that an io_uring has armed, single or multishot, needs
 * no asking: the kernel calls the hook for it when a connection comes.
 */
#ifndef SOCKACCEPT_ASK_AGAIN_H
#define SOCKACCEPT_ASK_AGAIN_H

#include "enforce/change/leftovers.h"
#include "enforce/kernel/listeners.h"
#include "policy/image.h"

/*
 * Makes each thread that waits in accept(2) on a listener which the policy of `image` denies enter the hook once more; nobody in mode
 * permissive. `image` is that of the policy in force: its binaries have the numbers of the kernel side. `listeners` is as
 * listeners_find_each() gives it. Looks only at processes that hold such a listener. Takes at most 3 s, and much less unless threads don't
 * stop. Fills `unasked`, which is empty, with one entry for each process that has a thread which couldn't be asked, and which may take one
 * more connection.
 */
void ask_again(const struct listeners *listeners, const struct image *image, struct leftovers *unasked);

/* Warns of the processes that couldn't be asked: with a line for each of the first few, and their number. */
void unasked_warn(const struct leftovers *unasked);

#endif
