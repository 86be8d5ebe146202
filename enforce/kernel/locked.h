/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells whether the policy is locked, what may be opened then, and what a `lock` that was killed has left. enforce/change/guard.h sets
 * the guard itself.
 */
#ifndef SOCKACCEPT_LOCKED_H
#define SOCKACCEPT_LOCKED_H

#include <stdbool.h>
#include <stdint.h>

#include "enforce/kernel/pins.h"

/* Returns true if the policy is locked. */
bool locked_is_set(void);

/*
 * Returns true if the object may be opened while the policy is locked: a map that only holds records, for reading, or a program that
 * readers run. Other objects may not be opened even for reading: a BPF program that is loaded with such a descriptor can write.
 */
bool locked_lets_open(enum kernel_object object);

/*
 * Returns true if the map may also be mapped into memory while the policy is locked. That takes a descriptor for reading and writing, as
 * a map must be mapped shared; only that the map is frozen keeps it from being written.
 */
bool locked_lets_map(enum kernel_object map);

/* Where a copy of the locked policy's image is pinned, as nobody can open the image itself. No decision depends on the copy. */
#define LOCKED_POLICY_COPY SOCKACCEPT_PIN_DIR "/policy_copy"

/* Where the map is pinned in which the guard counts what it has refused. */
#define LOCKED_REFUSALS SOCKACCEPT_PIN_DIR "/refusals"

/* The guard's programs, in the order in which their links are pinned. The last makes the guard complete; before, pins can be removed. */
#define GUARD_PROGRAMS(EACH) \
	EACH(guard_load)     \
	EACH(guard_program)  \
	EACH(guard_umount)   \
	EACH(guard_mount)    \
	EACH(guard_move)     \
	EACH(guard_pivot)    \
	EACH(guard_rmdir)    \
	EACH(guard_rename)   \
	EACH(guard_map)      \
	EACH(guard_unlink)

#define GUARD_ONE(program) +1
#define GUARD_LINKS (GUARD_PROGRAMS(GUARD_ONE))

/* The pins of the guard's links, in the same order. */
extern const char *const locked_guard_pins[GUARD_LINKS];

/* Returns how many attempts the guard has refused. */
uint64_t locked_refusals(void);

/* Returns true if a `lock` that was killed has left something, or one is running. */
bool locked_has_remains(void);

/* Removes what a `lock` that was killed has pinned. Needs the change lock. */
void locked_remove_remains(void);

/* Returns true if such a `lock` has frozen maps: the policy can't be changed until it is locked or taken over. */
bool locked_has_frozen(void);

/* The message for that. */
#define FROZEN_PROBLEM                                                                                                       \
	"a lock that didn't come to its end has left the policy in force such that it can't be changed; make an end of it: " \
	"sockaccept-ctl lock, or, without a gap: sockaccept-ctl upgrade"

/* Returns true if the policy can't be changed, being locked or frozen. */
bool locked_or_frozen(void);

/* Returns true if the map that is open as `fd` is frozen. */
bool locked_map_is_frozen(int fd);

#endif
