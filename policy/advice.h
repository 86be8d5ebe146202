/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Advice on valid policies: warns of rules that hold less than they seem to.
 */
#ifndef SOCKACCEPT_ADVICE_H
#define SOCKACCEPT_ADVICE_H

#include "policy/diagnostics.h"
#include "policy/policy.h"

/*
 * Warns, at most once for each binary and kind, of
 *
 *   - a script or a file that isn't executable: its rules never match;
 *   - a link: its rules stand for the program that it leads to;
 *   - an allow without a user, for a program that any user may execute: every user can use the rule;
 *   - a deny that a copy of the file escapes, because the default allows and no rule for `any` denies the same;
 *   - a program that someone other than root can replace: its file, or a directory on the way to it.
 *
 * A warning about a rule is at the line where the rule's section names the binary; one about a file is at the line where a policy
 * file names it first. resolve_policy() comes before. What can't be looked up gives no warning. Aborts without memory.
 */
void advise_policy(const struct policy *policy, struct diagnostics *diagnostics);

#endif
