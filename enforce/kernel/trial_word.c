/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes the word by atomic exchanges, as the hook changes it too, when the time is up.
 */
#include "enforce/kernel/trial_word.h"

#include "enforce/base/when.h"

static uint64_t boot_ns(void)
{
	return (uint64_t)when_now().boot;
}

static uint64_t word(const struct kernel *kernel)
{
	return __atomic_load_n(&kernel->control->trial, __ATOMIC_SEQ_CST);
}

static bool exchange(const struct kernel *kernel, __u64 from, __u64 to)
{
	return __atomic_compare_exchange_n(&kernel->control->trial, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static enum trial judge(uint64_t word, uint64_t now)
{
	if (!word)
		return TRIAL_IS_NONE;
	return word & TRIAL_PENDING && now < (word & ~TRIAL_PENDING) ? TRIAL_IS_PENDING : TRIAL_IS_OVER;
}

enum trial trial_now(const struct kernel *kernel, uint64_t *left_ns)
{
	uint64_t seen = kernel->control ? word(kernel) : 0, now = boot_ns();
	enum trial trial = judge(seen, now);

	*left_ns = trial == TRIAL_IS_PENDING ? (seen & ~TRIAL_PENDING) - now : 0;
	return trial;
}

uint32_t trial_slot(const struct kernel *kernel)
{
	/* Without `control`, it is another version's kernel side, of which no more is known, or a locked policy, never on trial. */
	return kernel->control && judge(word(kernel), boot_ns()) == TRIAL_IS_OVER ? SLOT_BEFORE : SLOT_LOADED;
}

bool trial_begin(const struct kernel *kernel, uint64_t seconds)
{
	uint64_t seen = word(kernel), now = boot_ns();

	return judge(seen, now) != TRIAL_IS_OVER && exchange(kernel, seen, TRIAL_PENDING | (now + seconds * 1000000000ULL));
}

bool trial_confirm(const struct kernel *kernel)
{
	uint64_t seen = word(kernel);

	/*
	 * The exchange fails if a decision has ended the trial. If none has, no decision was made by the other policy yet, even if the time
	 * is up by now.
	 */
	return judge(seen, boot_ns()) == TRIAL_IS_PENDING && exchange(kernel, seen, 0);
}

void trial_end(const struct kernel *kernel)
{
	__atomic_store_n(&kernel->control->trial, 0, __ATOMIC_SEQ_CST);
}
