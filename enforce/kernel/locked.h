/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a locked policy lets be opened, and what a `lock` that was killed has left. The guard itself is set in enforce/change/guard.h.
 */
#ifndef SOCKACCEPT_LOCKED_H
#define SOCKACCEPT_LOCKED_H

#include <stdbool.h>
#include <stdint.h>

#include "enforce/kernel/pins.h"

/* True if the policy is locked. */
bool locked_is_set(void);

/*
 * The object may still be opened when the policy is locked: a map that only records are in, for reading; or a program that readers
 * run. False: not at all, in no mode: a BPF program can be loaded with a descriptor that was opened for reading, and writes.
 */
bool locked_lets_open(enum kernel_object object);

/*
 * Of those maps, this one can be mapped into memory, which takes a descriptor for reading and writing (mmap(2) of one for reading alone
 * isn't shared, and a map must be). That it is frozen is what keeps it from being written.
 */
bool locked_lets_map(enum kernel_object map);

/* A copy of the image of the locked policy, as nobody can open that any more. No decision depends on it. */
#define LOCKED_POLICY_COPY SOCKACCEPT_PIN_DIR "/policy_copy"

/* What the guard has refused is counted in a map of this name. */
#define LOCKED_REFUSALS SOCKACCEPT_PIN_DIR "/refusals"

/* The guard's links, in the order in which they are pinned: the last one makes it complete. Until then what was pinned can go again. */
#define GUARD_LINKS 10
extern const char *const locked_guard_pins[GUARD_LINKS];

/* How many attempts the guard has refused. */
uint64_t locked_refusals(void);

/* True if a `lock` that was killed has left something, or one is under way. */
bool locked_has_remains(void);

/* Removes what a `lock` that was killed has pinned. Needs the lock. */
void locked_remove_remains(void);

/* True if such a `lock` has frozen maps: the policy stays as it is until it is locked or taken over. */
bool locked_has_frozen(void);

/* What there is to say then. */
#define FROZEN_PROBLEM                                                                                         \
	"a lock that didn't come to its end has left the policy in force such that it can't be changed; make an end of it: " \
	"sockaccept-ctl lock, or, without a gap: sockaccept-ctl upgrade"

/* True if nothing can be changed, for one reason or the other. */
bool locked_or_frozen(void);

/* True if the map behind the descriptor is frozen. */
bool locked_map_is_frozen(int fd);

#endif
