/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What has to be done beside a change of the policy in force, so that nothing goes on as decided before: asks threads that wait in
 * accept(2) again (enforce/change/ask_again.h), attaches or detaches the gate (enforce/kernel/gate.h), and drains denied listeners
 * (enforce/change/drain.h).
 */
#ifndef SOCKACCEPT_TAKE_EFFECT_H
#define SOCKACCEPT_TAKE_EFFECT_H

#include <stdbool.h>
#include <stdint.h>

#include "enforce/base/status.h"
#include "enforce/change/ask_again.h"
#include "enforce/change/drain.h"
#include "enforce/kernel/kernel.h"

/* Zero-initialised is empty. */
struct effect {
	struct leftovers unasked; /* processes whose threads couldn't be asked again */
	struct drained drained;
	uint64_t next_end; /* when the next temporary rule or the trial ends: ns since boot; 0: none does */
};

enum effect_part {
	EFFECT_ASK = 1 << 0,
	EFFECT_DRAIN = 1 << 1,
};

/*
 * Asks again and drains by the policy that is in force: `parts` are those of enum effect_part. Needs no lock. Fills `effect`, which is
 * empty. Prints what is wrong.
 */
enum status take_effect(const struct kernel *kernel, unsigned parts, struct effect *effect);

/*
 * Does all of it, and warns of what couldn't be done. Each change of the policy in force ends with this, just before its result is printed;
 * the change stands whatever comes of it. Needs the lock, and `kernel` open for writing. `drain` is false while another kernel side is
 * attached too, which would not let the drain pass.
 */
void take_effect_and_warn(const struct kernel *kernel, bool drain);

/* Warns of what couldn't be done. */
void effect_warn(const struct effect *effect);

/* Frees what `effect` holds and leaves it empty. */
void effect_clear(struct effect *effect);
#define _cleanup_effect_ __attribute__((cleanup(effect_clear)))

#endif
