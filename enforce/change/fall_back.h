/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a boot does whose policy files are invalid or can't be put in force: it falls back to the last good policy.
 */
#ifndef SOCKACCEPT_FALL_BACK_H
#define SOCKACCEPT_FALL_BACK_H

#include "enforce/base/status.h"

/*
 * Puts the last good policy in force if it has failure = closed and nothing better is in force, and prints what came of it. The caller has
 * printed what is wrong with the files. Needs the change lock. Always returns `why`, STATUS_INVALID or STATUS_FAILED: an administrator has
 * to look at the files whatever is in force.
 */
enum status fall_back(enum status why);

#endif
