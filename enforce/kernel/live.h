/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live policy: read from the kernel, changed in user space, put back whole.
 */
#ifndef SOCKACCEPT_LIVE_H
#define SOCKACCEPT_LIVE_H

#include "enforce/kernel/kernel.h"
#include "policy/image.h"

/*
 * Reads the policy in force, with the numbers, counters and resolved paths that it has there, and without the temporary
 * rules that have ended. Says what is wrong. Needs no lock: an image never changes.
 */
enum status live_read(const struct kernel *kernel, struct policy *policy);

/* The same without the resolved paths, which take a system call for each binary. */
enum status live_read_image(const struct kernel *kernel, struct policy *policy);

/* Reads the image in force itself into `image`, which is empty: to be asked, as decisions ask it. Says what is wrong. Needs no lock. */
enum status live_image_in_force(const struct kernel *kernel, struct image *image);

/*
 * Gives numbers to the binaries of `policy` that have none, and puts its rules in order. Needs the lock. Says what is wrong. A
 * binary where no rule can name one is an error if `all` must have numbers of their own; otherwise it waits, with a warning.
 */
enum status live_number(const struct kernel *kernel, struct policy *policy, bool all);

/*
 * Makes `policy`, after live_number(), the one in force, in one step, under the next generation (policy->generation, of the policy
 * before, is counted up). Gives counters to rules that have none, and marks those in `taken`: at first live_counters() of the policy in force. Needs the lock. Says what is wrong; the old
 * policy is then in force, unchanged.
 */
enum status live_publish(struct kernel *kernel, struct policy *policy, bool *taken);

/*
 * Puts `before` (under the next generation, to which it is counted up) into SLOT_BEFORE, where a trial that isn't confirmed
 * falls back to it. Its rules have their counters. Needs the lock. Says what is wrong; nothing is changed then.
 */
enum status live_prepare_trial(const struct kernel *kernel, struct policy *before);

/* Reads what a trial falls back to, as live_read_image() does. */
enum status live_read_before(const struct kernel *kernel, struct policy *policy);

/* The image of `policy`, as live_read() gives it, into `image`, which is empty. Says what is wrong. */
enum status live_image(const struct policy *policy, struct image *image);

/*
 * The counters that rules of `policy` have, as RULE_COUNTERS flags, to be freed. Decisions under the policy in force
 * go on counting in them until it is replaced: not even those of removed rules may be given again.
 */
bool *live_counters(const struct policy *policy);

/* Adds the counters of `policy` to those that are `taken`. */
void live_take_counters(const struct policy *policy, bool *taken);

#endif
