/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests that the attached program is really called. Only an accept(2) shows that, so this makes one of its own, over the loopback.
 */
#ifndef SOCKACCEPT_SELF_TEST_H
#define SOCKACCEPT_SELF_TEST_H

#include "enforce/kernel/kernel.h"

/*
 * Makes a listener that the kernel side is told to refuse (control.self_test), connects to it, and accepts: that must fail with EPERM.
 * Then asks for a decision instead, and accepts the same connection again: that must be decided by the policy. Neither accept is counted
 * or recorded.
 *
 * Needs the change lock, and `kernel` open for writing. When the policy is locked, only shows by an accept of a local socket that the
 * program is called. Prints what is wrong, and the remedy.
 */
enum status self_test(const struct kernel *kernel);

#endif
