/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a change does about a policy that is on trial, or was (enforce/kernel/trial_word.h).
 */
#ifndef SOCKACCEPT_TRIAL_H
#define SOCKACCEPT_TRIAL_H

#include "enforce/kernel/kernel.h"

/* Where a trial is over, puts what it fell back to in its ordinary place. Needs the change lock. Says what is wrong. */
enum status trial_settle(const struct kernel *kernel);

/* Refuses, and says so, while a policy is on trial. */
enum status trial_refuse(const struct kernel *kernel);

#endif
