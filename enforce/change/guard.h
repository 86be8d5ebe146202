/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard of a locked policy (bpf/guard.bpf.c): from `lock` until the machine stops.
 */
#ifndef SOCKACCEPT_GUARD_H
#define SOCKACCEPT_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "enforce/kernel/kernel.h"

/* True if the policy is locked. */
bool guard_is_there(void);

/*
 * The object may still be opened when the policy is locked: a map that only records are in, for reading; or a program that readers
 * run. False: not at all, in no mode: a BPF program can be loaded with a descriptor that was opened for reading, and writes.
 */
bool guard_lets_open(enum kernel_object object);

/*
 * Of those maps, this one can be mapped into memory, which takes a descriptor for reading and writing (mmap(2) of one for reading alone
 * isn't shared, and a map must be). That it is frozen is what keeps it from being written.
 */
bool guard_lets_map(enum kernel_object map);

/* A copy of the image of the locked policy, as nobody can open that any more. No decision depends on it. */
#define GUARD_POLICY_COPY SOCKACCEPT_PIN_DIR "/policy_copy"

/* How many attempts the guard has refused. */
uint64_t guard_refusals(void);

/* True if a `lock` that was killed has left something, or one is under way. */
bool guard_has_remains(void);

/* Removes what a `lock` that was killed has pinned. Needs the lock. */
void guard_remove_remains(void);

/* True if such a `lock` has frozen maps: the policy stays as it is until it is locked or taken over. */
bool guard_has_frozen(void);

/* What there is to say then. */
#define FROZEN_PROBLEM                                                                                         \
	"a lock that didn't come to its end has left the policy in force such that it can't be changed; make an end of it: " \
	"sockaccept-ctl lock, or, without a gap: sockaccept-ctl upgrade"

/* True if nothing can be changed, for one reason or the other. */
bool guard_keeps_all(void);

/*
 * Attaches and pins the guard and `copy`, a copy of the image in force, and freezes the maps of `kernel`, which is open and not
 * mapped for writing. Refuses while somebody else holds one of our objects. Needs the lock, and CAP_SYS_ADMIN. Says what is wrong:
 * nothing is guarded then, but maps may be frozen if it came so far.
 */
enum status guard_set(const struct kernel *kernel, int copy);

#endif
