/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is the attached program really called? Only an accept(2) tells: one of our own, over the loopback.
 */
#ifndef SOCKACCEPT_SELF_TEST_H
#define SOCKACCEPT_SELF_TEST_H

#include "enforce/kernel/kernel.h"

/*
 * Makes a listener that the kernel side is told to refuse (control.self_test), connects to it, and accepts: that must fail
 * with EPERM. Then it asks for a decision instead, and accepts the same connection, which must be decided by the policy. Neither
 * is counted nor recorded. Needs the lock, and `kernel` open for writing; when the policy is locked, an accept of a local socket
 * only shows that the program is called. Says what is wrong, and the remedy.
 */
enum status self_test(const struct kernel *kernel);

#endif
