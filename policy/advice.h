/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policies that are valid and hold less than they seem to.
 */
#ifndef SOCKACCEPT_ADVICE_H
#define SOCKACCEPT_ADVICE_H

#include "policy/diagnostics.h"
#include "policy/policy.h"

/*
 * Warns, at most once for each binary and kind, of
 *
 *   - a script or a file that isn't executable, for which a rule never matches;
 *   - a link, whose rules stand for the program that it leads to;
 *   - an allow without a user, for a program that any user may execute: each of them may use the rule;
 *   - a deny that a copy of the file escapes, as the default allows and no rule for `any` denies the same;
 *   - a program that somebody else than root may replace: its file, or a directory on the way to it.
 *
 * What is about a rule is at the line where its own section names the binary, what is about the file where a file names it first.
 * `policy` has been through resolve_policy(). What can't be looked up gives no warning. Aborts without memory.
 */
void advise_policy(const struct policy *policy, struct diagnostics *diagnostics);

#endif
