/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy in force: reads it from the kernel, and puts a changed one in force as a whole.
 */
#ifndef SOCKACCEPT_LIVE_H
#define SOCKACCEPT_LIVE_H

#include "enforce/kernel/kernel.h"
#include "policy/image.h"

/*
 * Reads the policy in force, with the numbers, counters and resolved paths that it has there, and without temporary rules that have
 * ended. Needs no lock: an image never changes. Prints what is wrong.
 */
enum status live_read(const struct kernel *kernel, struct policy *policy);

/* Reads the policy in force as live_read() does, but without the resolved paths, which take a system call for each binary. */
enum status live_read_image(const struct kernel *kernel, struct policy *policy);

/*
 * Reads the image in force as it is into `image`, which must be empty, for callers that ask it as decisions do. Needs no lock. Prints
 * what is wrong.
 */
enum status live_image_in_force(const struct kernel *kernel, struct image *image);

/*
 * Gives numbers to the binaries of `policy` that have none, and sorts its rules. A binary that no rule can name is an error if `all`;
 * otherwise it waits, and a warning is printed. Needs the change lock. Prints what is wrong.
 */
enum status live_number(const struct kernel *kernel, struct policy *policy, bool all);

/*
 * Puts `policy`, to which live_number() has given numbers, in force in one step, under the next generation. policy->generation must be
 * that of the policy before, and is counted up. Rules without a counter get one that isn't `taken`, and it is marked there: start with
 * `taken` from live_counters() of the policy in force. Needs the change lock. Prints what is wrong; the old policy is then still in
 * force, unchanged.
 */
enum status live_publish(struct kernel *kernel, struct policy *policy, bool *taken);

/*
 * Puts `before` into SLOT_BEFORE, under the next generation (before->generation is counted up): a trial that isn't confirmed falls back
 * to it. Its rules must have their counters. Needs the change lock. Prints what is wrong; nothing is changed then.
 */
enum status live_prepare_trial(const struct kernel *kernel, struct policy *before);

/* Reads the policy that a trial falls back to, as live_read_image() does. */
enum status live_read_before(const struct kernel *kernel, struct policy *policy);

/* Builds the image of `policy`, as live_read() gives it, into `image`, which must be empty. Prints what is wrong. */
enum status live_image(const struct policy *policy, struct image *image);

/*
 * Returns which counters the rules of `policy` have: an array of RULE_COUNTERS flags, to be freed. Decisions under the policy in force
 * count in them until it is replaced, so not even the counters of removed rules may be given again.
 */
bool *live_counters(const struct policy *policy);

/* Marks the counters of `policy` in `taken`. */
void live_take_counters(const struct policy *policy, bool *taken);

#endif
