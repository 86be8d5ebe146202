/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folding: of denials alike (same user, binary, port and verdict, under the same policy), the first is an event at
 * once, and those of the second after it become one further event when that second ends, made by a timer.
 *
 * An entry opens with the first, counts the others in one word, and is closed by exchanging that word, so that a
 * denial is counted in exactly one event. Between two runs of one key it stays for FOLD_KEEP_NS, which is longer than the
 * kernel lets any program be held up: nobody who still counts finds it as another key's.
 *
 * Anybody can make keys, by copying a program or listening on many ports. Those of one user beyond
 * FOLDS_PER_USER share one entry, and when there is no room at all, everybody's further ones share one.
 * Who has been given many ids (subuid(5)) can use them only in a user namespace: there it is the owner of that who counts.
 */
#ifndef SOCKACCEPT_FOLD_BPF_H
#define SOCKACCEPT_FOLD_BPF_H

#include "event.bpf.h"

#include <bpf/bpf_core_read.h>

#define FOLD_NS 1000000000ULL
#define FOLD_KEEP_NS 60000000000ULL
#define FOLDS_PER_USER 64 /* but the administrator's */
#define FOLD_USERS 65536  /* ids beyond share those of others */
#define MAX_NAMESPACES 33 /* user namespaces inside of each other: Linux, include/linux/user_namespace.h */

#define FOLD_COUNT 0xffffffffULL
#define FOLD_RUN 0xffff00000000ULL /* counts up with each opening */
#define FOLD_NEXT_RUN (1ULL << 32)
#define FOLD_OPEN (1ULL << 63)
#define FOLD_STARTING (1ULL << 62) /* its event isn't there yet */
#define FOLD_DEAD (1ULL << 61)     /* is being removed */

struct fold {
	__u64 word; /* the repeats, the run, and flags */
	struct bpf_timer timer;
	__u64 listener; /* of the first one: addresses, for comparison only */
	__u64 peer;
	__u64 differ; /* enum event_flag: what repeats don't have in common with it */
	__u64 user;   /* in whose number of entries this is one */
	struct event first;
};
#define FOLD_ALL_DIFFER (EVENT_MANY_THREADS | EVENT_MANY_USERS | EVENT_MANY_LISTENERS | EVENT_MANY_PEERS)

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct fold_key);
	__type(value, struct fold);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} folds SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, FOLD_USERS);
} fold_users SEC(".maps");

/* A fold with no bit set; no struct fold, as a map with a timer in it can't be read-only. */
static const __u64 blank_fold[sizeof(struct fold) / sizeof(__u64)];

/* Root of the machine, not of a container: who can load a policy has no need of our room. */
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
 * Who is answerable for the caller: its effective user, or who made the user namespace that it is in; of one that root
 * made, as for a container, the namespace itself.
 */
static __always_inline __u32 answerable_user(const struct cred *cred)
{
	struct user_namespace *namespace = cred->user_ns;

	if (namespace->level == 0)
		return cred->euid.val;
	for (int depth = 0; depth < MAX_NAMESPACES && namespace->level > 1; depth++)
		namespace = namespace->parent;
	return namespace->owner.val ?: namespace->ns.inum;
}

/* How many entries a user has. */
static __always_inline __u64 *folds_of_user(__u32 uid)
{
	__u32 index = uid & (FOLD_USERS - 1);

	return bpf_map_lookup_elem(&fold_users, &index);
}

/* Makes the entry of `key`, one of so many of `user`. NULL: there is no room, or the user has enough. */
static __always_inline struct fold *make_fold(const struct fold_key *key, const struct cred *cred, __u32 user)
{
	__u64 *count = folds_of_user(user);
	struct fold *fold;
	bool made;

	if (!count)
		return 0;
	if (__sync_fetch_and_add(count, 1) >= FOLDS_PER_USER && key->what != FOLD_OTHERS && !is_administrator(cred)) {
		__sync_fetch_and_add(count, -1);
		return 0;
	}
	made = !bpf_map_update_elem(&folds, key, blank_fold, BPF_NOEXIST);
	if (!made)
		__sync_fetch_and_add(count, -1); /* somebody else made it just now, or there is no room */
	fold = bpf_map_lookup_elem(&folds, key);
	if (fold && made)
		fold->user = user;
	return fold;
}

/* For a denial whose key has no entry: a new one, or one that is shared. *key becomes its key. NULL: none can be had. */
static __attribute__((noinline)) struct fold *new_fold(struct fold_key *key)
{
	const struct cred *cred = bpf_get_current_task_btf()->cred;
	__u32 user = answerable_user(cred);
	struct fold *fold = make_fold(key, cred, user);

	if (fold)
		return fold;
	key->generation = 0;
	key->uid = user;
	key->binary = key->port = key->what = FOLD_OTHERS;
	fold = bpf_map_lookup_elem(&folds, key) ?: make_fold(key, cred, user);
	if (fold)
		return fold;
	key->uid = FOLD_OTHERS;
	return bpf_map_lookup_elem(&folds, key);
}

static __always_inline void note_differences(struct fold *fold, __u64 differ)
{
	if (differ & ~*(volatile __u64 *)&fold->differ)
		__sync_fetch_and_or(&fold->differ, differ);
}

/* Notes what a repeat doesn't have in common with the first one. */
static __always_inline void compare_with_first(struct fold *fold, const struct event *event, __u64 listener, __u64 peer)
{
	__u64 differ = 0;

	if (fold->first.tid != event->tid || fold->first.pid != event->pid)
		differ |= EVENT_MANY_THREADS;
	if (fold->first.uid != event->uid)
		differ |= EVENT_MANY_USERS;
	if (fold->listener != listener)
		differ |= EVENT_MANY_LISTENERS;
	if (fold->peer != peer)
		differ |= EVENT_MANY_PEERS;
	note_differences(fold, differ);
}

/*
 * Counts a denial as a repeat, or opens an entry for those that will follow it. Returns the entry in *opened then,
 * and false: it must have its own event. True: it is counted.
 */
static __attribute__((noinline)) bool fold_denial(const struct call *call, __u64 listener, __u64 peer,
						  struct fold **opened)
{
	const struct event *event = &call->event;
	struct fold_key key = { .generation = event->generation, .uid = event->uid, .binary = event->binary,
				.port = event->local.port, .what = event->operation | call->class << 8 };
	struct fold *fold = bpf_map_lookup_elem(&folds, &key) ?: new_fold(&key);
	__u64 word, then, start;

	*opened = 0;
	if (!fold)
		return false;
	word = *(volatile __u64 *)&fold->word;
	start = ((word + FOLD_NEXT_RUN) & FOLD_RUN) | FOLD_OPEN | FOLD_STARTING;
	if (!(word & (FOLD_OPEN | FOLD_DEAD)) && __sync_val_compare_and_swap(&fold->word, word, start) == word) {
		fold->listener = listener;
		fold->peer = peer;
		*opened = fold;
		return false;
	}
	/* The first one of another run, or none yet, says nothing. Noted before it counts: the fold can be closed after. */
	if (word & FOLD_OPEN && !(word & FOLD_STARTING))
		compare_with_first(fold, event, listener, peer);
	else
		note_differences(fold, FOLD_ALL_DIFFER);
	then = __sync_fetch_and_add(&fold->word, 1);
	if ((word ^ then) & FOLD_RUN)
		note_differences(fold, FOLD_ALL_DIFFER);
	return then & FOLD_OPEN;
}

/*
 * Closes a fold that has repeats, and makes their event: all of it while the fold is open, but for what is known when it is
 * closed, as whoever opens it again replaces `first`. False: the event is lost.
 */
static __attribute__((noinline)) bool record_repeats(struct state *state, const struct fold_key *key, struct fold *fold)
{
	__u32 others = key->uid == FOLD_OTHERS ? EVENT_MANY_USERS | EVENT_MANY_BINARIES :
		       key->what == FOLD_OTHERS ? EVENT_MANY_BINARIES : 0;
	__u64 ticket, word, differ;
	struct event *event = begin_event(state, VERDICT_DENY, 0, &ticket);

	if (event) {
		event->time_boot = bpf_ktime_get_boot_ns();
		event->time_tai = bpf_ktime_get_tai_ns();
		copy_event(event, &fold->first);
	}
	word = __sync_fetch_and_and(&fold->word, FOLD_RUN);
	differ = __sync_lock_test_and_set(&fold->differ, 0);
	if (!event) {
		__sync_fetch_and_add(&state->buffer[VERDICT_DENY].lost, word & FOLD_COUNT);
		return false;
	}
	if (!others)
		differ &= ~EVENT_MANY_USERS; /* the key has the user */
	event->count = word & FOLD_COUNT;
	event->flags |= differ | others;
	if (differ & EVENT_MANY_PEERS || others)
		event->flags &= ~EVENT_HAS_PEER;
	publish_event(event, ticket);
	return true;
}

/* An entry that nobody opened again is given up. */
static __always_inline void remove_fold(struct fold_key *key, struct fold *fold, __u64 word)
{
	__u64 *count = folds_of_user(fold->user);

	if (key->uid == FOLD_OTHERS || __sync_val_compare_and_swap(&fold->word, word, FOLD_DEAD) != word)
		return;
	if (bpf_map_delete_elem(&folds, key)) { /* its bucket was in use just now */
		__sync_lock_test_and_set(&fold->word, word & FOLD_RUN);
		bpf_timer_start(&fold->timer, FOLD_KEEP_NS, 0);
		return;
	}
	if (count)
		__sync_fetch_and_add(count, -1);
}

static int end_fold(void *map, struct fold_key *key, struct fold *fold)
{
	__u64 word = *(volatile __u64 *)&fold->word;
	struct state *counters;
	__u32 zero = 0;

	counters = bpf_map_lookup_elem(&state, &zero);
	if (!counters)
		return 0;
	if (word & FOLD_STARTING) {
		bpf_timer_start(&fold->timer, FOLD_NS, 0);
		return 0;
	}
	if (!(word & FOLD_OPEN)) {
		remove_fold(key, fold, word);
		return 0;
	}
	/* Before it is closed: whoever opens it again sets the timer anew. */
	bpf_timer_start(&fold->timer, FOLD_KEEP_NS, 0);
	if (word & FOLD_COUNT || __sync_val_compare_and_swap(&fold->word, word, word & FOLD_RUN) != word)
		CALL(record_repeats(counters, key, fold));
	return 0;
}

/* From now on others count. `event`: that of the denial which opened the fold. False: it is closed again. */
static __attribute__((noinline)) bool start_fold(struct state *state, struct fold *fold, const struct event *event)
{
	copy_event(&fold->first, event);
	bpf_timer_init(&fold->timer, &folds, CLOCK_MONOTONIC); /* -EBUSY: it is that of an earlier run */
	bpf_timer_set_callback(&fold->timer, end_fold);
	if (!bpf_timer_start(&fold->timer, FOLD_NS, 0)) {
		__sync_fetch_and_and(&fold->word, ~FOLD_STARTING);
		return true;
	}
	/* No memory for a timer: nobody would ever close it. */
	__sync_fetch_and_add(&state->buffer[VERDICT_DENY].lost, __sync_fetch_and_and(&fold->word, FOLD_RUN) & FOLD_COUNT);
	return false;
}

#endif
