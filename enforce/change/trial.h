/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a change of the policy does first about a policy that is on trial, or was (enforce/kernel/trial_word.h).
 */
#ifndef SOCKACCEPT_TRIAL_H
#define SOCKACCEPT_TRIAL_H

#include "enforce/kernel/kernel.h"

/* Puts the policy that a trial fell back to in its ordinary place, if a trial is over. Needs the change lock. Prints what is wrong. */
enum status trial_settle(const struct kernel *kernel);

/* Returns STATUS_DONE unless a policy is on trial. Prints then that it is refused, and returns STATUS_FAILED. */
enum status trial_refuse(const struct kernel *kernel);

#endif
