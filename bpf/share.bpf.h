/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shares: how much each user can make of events and folds.
 *
 * Each user but the machine's root has a share of the events: a sixteenth of the buffer at once, and as much again in an hour. And each
 * has at most FOLDS_PER_USER series at a time. What is beyond goes into one series of the user's own, whose windows are long. So nobody
 * can push out what others were denied in the last hour, or take their series from them. Who was given many ids (subuid(5)) can use
 * them only in a user namespace: there the owner of the namespace counts.
 *
 * Example: a buffer of 16,384 events gives a user 1,024 at once, and then one each 3.5 s.
 */
#ifndef SOCKACCEPT_SHARE_BPF_H
#define SOCKACCEPT_SHARE_BPF_H

#include "event.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define SECOND_NS 1000000000ULL

#define SHARES_AN_HOUR 16 /* shares of the buffer that a user gets in an hour: a sixteenth */
#define HOUR_NS (3600 * SECOND_NS)
#define MAX_NAMESPACES 33 /* how deep user namespaces can be nested: Linux, include/linux/user_namespace.h */

#define ADMINISTRATOR 0xfffffffeU /* a user with one share, without limits */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, struct share);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} shares SEC(".maps");

/* True for root of the machine, not of a container. Who can load a policy has no need to use up room. */
static __always_inline bool is_administrator(const struct cred *cred)
{
	__u32 low = 0;

	if (cred->user_ns->level != 0 || cred->euid.val != 0)
		return false;
	/* The first half of it, in whichever form this kernel has it. */
	bpf_probe_read_kernel(&low, sizeof(low), (const void *)cred + bpf_core_field_offset(struct cred, cap_effective));
	return low & 1U << CAP_SYS_ADMIN;
}

/*
 * Returns who is answerable for the caller: its effective user; or in a user namespace, the user who made that. If root made it, as for
 * a container, the namespace itself.
 */
static __always_inline __u32 answerable_user(const struct cred *cred)
{
	struct user_namespace *namespace = cred->user_ns;

	__u32 user = cred->euid.val;

	if (namespace->level != 0) {
		for (int depth = 0; depth<MAX_NAMESPACES &&namespace->level> 1; depth++)
		namespace = namespace->parent;
		user = namespace->owner.val ?: namespace->ns.inum;
	}
	return user == ADMINISTRATOR ? FOLD_OTHERS : user;
}

/* Returns the user whose share the current thread's denials take from. */
static __attribute__((noinline)) __u32 current_user(void)
{
	const struct cred *cred = bpf_get_current_task_btf()->cred;

	return is_administrator(cred) ? ADMINISTRATOR : answerable_user(cred);
}

/* Returns the share of a user, and makes it if there is none. NULL: there is no room. */
static __always_inline struct share *share_of(__u32 user)
{
	struct share *share = bpf_map_lookup_elem(&shares, &user), fresh = { 0 };

	if (share)
		return share;
	bpf_map_update_elem(&shares, &user, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&shares, &user);
}

/*
 * Takes one event from the share of a user. Returns false if it is used up. The generic cell rate algorithm (ITU-T I.371) as virtual
 * scheduling: one word, exchanged.
 */
static __always_inline bool take_event(__u32 user)
{
	/* A power of two, so that no division is needed. */
	__u64 step = HOUR_NS * SHARES_AN_HOUR / ((__u64)slot_mask + 1), then, next, now;
	struct share *share;

	if (user == ADMINISTRATOR)
		return true;
	share = share_of(user);
	if (!share)
		return false;
	now = bpf_ktime_get_boot_ns();
	UNROLL
	for (int tries = 0; tries < 4; tries++) {
		then = *(volatile __u64 *)&share->next;
		next = (then > now ? then : now) + step;
		if (next - now > HOUR_NS)
			return false;
		if (__sync_val_compare_and_swap(&share->next, then, next) == then)
			return true;
	}
	return false;
}

#endif
