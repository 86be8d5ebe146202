/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folding: of denials alike (same user, binary, port and operation, under the same policy), the first is an event at once. Its
 * repeats are counted in windows of 1, 2, 4, ... 64 s, which follow each other while repeats go on, and each window that has some
 * becomes one further event. No timer ends a window: whoever comes first after its end does, the next denial of its key or a reader
 * (close_windows). A window without repeats ends the series; the next denial is a first one again.
 *
 * The event of a window has what all its repeats have in common: its first repeat is kept in `first`, and each one that differs from
 * it says in which fields. What counts the repeats is one word, so that a denial is in exactly one event:
 *
 *   no flag                        no series
 *   FOLD_OPEN | FOLD_EMPTY         a window without repeats yet. The first repeat exchanges this for
 *   FOLD_OPEN | FOLD_STARTING      `first` is being written; then
 *   FOLD_OPEN                      others compare themselves with `first`, and count
 *   ... | FOLD_CLOSING             somebody makes the event; repeats still count, until the word is exchanged for the next window's
 *   FOLD_DEAD                      is being removed
 *
 * Shares: each user but the machine's root has a share of the events: a sixteenth of the buffer at once, and as much again in an
 * hour; and at most FOLDS_PER_USER series at a time. What is beyond goes into one series of the user's own, whose windows are long.
 * So nobody can push out what others were denied in the last hour, or take their series from them. Who has been given many ids
 * (subuid(5)) can use them only in a user namespace: there it is the owner of that who counts.
 */
#ifndef SOCKACCEPT_FOLD_BPF_H
#define SOCKACCEPT_FOLD_BPF_H

#include "event.bpf.h"

#include <bpf/bpf_core_read.h>

#define SECOND_NS 1000000000ULL
#define LONGEST_WINDOW 6 /* 2^6 = 64 s */
/* A series that has ended is kept for so long: longer than the kernel lets any program be held up that may still look at it. */
#define FOLD_KEEP_NS (64 * SECOND_NS)
#define FOLDS_PER_USER 64 /* but the administrator's */
#define MAX_FOLDS 16384
#define SHARES_AN_HOUR 16 /* of the buffer */
#define HOUR_NS (3600 * SECOND_NS)
#define MAX_NAMESPACES 33 /* user namespaces inside of each other: Linux, include/linux/user_namespace.h */

#define FOLD_COUNT 0xffffffffULL
#define FOLD_RUN 0xffff00000000ULL /* counts up with each window */
#define FOLD_NEXT_RUN (1ULL << 32)
#define FOLD_OPEN (1ULL << 63)
#define FOLD_STARTING (1ULL << 62)
#define FOLD_EMPTY (1ULL << 61)
#define FOLD_CLOSING (1ULL << 60)
#define FOLD_DEAD (1ULL << 59)

struct fold {
	__u64 word;   /* the repeats, the window's number, and flags */
	__u64 began;  /* the window: ns of CLOCK_BOOTTIME */
	__u64 ends;
	__u64 length; /* of the window, as a power of two: s */
	__u64 differ; /* enum event_difference: what repeats don't have in common with `first` */
	__u32 user;   /* in whose share it is */
	__u16 shared; /* 1: by what else of the user's there is */
	__u16 hint;   /* of the path: EVENT_PATH_HINT or 0 */
	struct event first; /* its path is that of the series, known when that has begun */
};
#define ADMINISTRATOR 0xfffffffeU /* a user of whom there is one share, without limits */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct fold_key);
	__type(value, struct fold);
	__uint(max_entries, MAX_FOLDS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} folds SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, struct share);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} shares SEC(".maps");

static const struct fold blank_fold;

/* ---------------------------------------------------------------------------------------------
 * Users and their shares
 */

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

	__u32 user = cred->euid.val;

	if (namespace->level != 0) {
		for (int depth = 0; depth < MAX_NAMESPACES && namespace->level > 1; depth++)
			namespace = namespace->parent;
		user = namespace->owner.val ?: namespace->ns.inum;
	}
	return user == ADMINISTRATOR ? FOLD_OTHERS : user;
}

/* In whose share the thread's denials are that makes a call right now. */
static __attribute__((noinline)) __u32 current_user(void)
{
	const struct cred *cred = bpf_get_current_task_btf()->cred;

	return is_administrator(cred) ? ADMINISTRATOR : answerable_user(cred);
}

/* Made if it isn't there; NULL: there is no room. */
static __always_inline struct share *share_of(__u32 user)
{
	struct share *share = bpf_map_lookup_elem(&shares, &user), fresh = { 0 };

	if (share)
		return share;
	bpf_map_update_elem(&shares, &user, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&shares, &user);
}

/*
 * Takes one event from the share of a user. False: it is used up. The generic cell rate algorithm (ITU-T I.371) in its form as virtual
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

/* ---------------------------------------------------------------------------------------------
 * What repeats have in common
 */

/*
 * Adds `fields` to *differ if `bits` isn't 0. Without a branch: a verifier follows each of them, in each combination. And one after
 * the other, as there is no room on the stack for what all of them compare.
 */
static __always_inline void differ_in(__u64 *differ, __u32 fields, __u64 bits)
{
	bits |= -bits;
	FORGET(bits);
	*differ |= (bits >> 63) * fields;
	__asm__ volatile("" : "+r"(*differ) : : "memory");
}

/* 0: they are the same; so of all of these. */
static __always_inline __u64 address_bits(const struct endpoint *a, const struct endpoint *b)
{
	__u64 bits = 0;

	UNROLL
	for (unsigned i = 0; i < sizeof(a->address) / sizeof(__u32); i++)
		bits |= ((const __u32 *)a->address)[i] ^ ((const __u32 *)b->address)[i];
	return bits;
}

static __always_inline __u64 comm_bits(const struct event *a, const struct event *b)
{
	return (((const __u64 *)a->comm)[0] ^ ((const __u64 *)b->comm)[0]) | (((const __u64 *)a->comm)[1] ^ ((const __u64 *)b->comm)[1]);
}

static __always_inline __u64 rule_bits(const struct event *a, const struct event *b)
{
	__u64 bits = a->reason ^ b->reason;

	if (a->reason != REASON_RULE)
		return bits;
	UNROLL
	for (unsigned i = 0; i < sizeof(a->rule) / sizeof(__u64); i++)
		bits |= ((const __u64 *)&a->rule)[i] ^ ((const __u64 *)&b->rule)[i];
	return bits;
}

/* Fields in which two denials with one key can differ, as enum event_difference. */
static __always_inline void differences(__u64 *differ, const struct event *a, const struct event *b)
{
	differ_in(differ, DIFFER_CGROUP, a->cgroup_id ^ b->cgroup_id);
	differ_in(differ, DIFFER_UNIT, a->unit ^ b->unit);
	differ_in(differ, DIFFER_PID, a->pid ^ b->pid);
	differ_in(differ, DIFFER_TID, a->tid ^ b->tid);
	differ_in(differ, DIFFER_GID, a->gid ^ b->gid);
	differ_in(differ, DIFFER_NETNS, a->netns ^ b->netns);
	differ_in(differ, DIFFER_SOCKFD, a->sockfd ^ b->sockfd);
	differ_in(differ, DIFFER_BACKLOG, a->backlog ^ b->backlog);
	differ_in(differ, DIFFER_BACKLOG_MAX, a->backlog_max ^ b->backlog_max);
	differ_in(differ, DIFFER_FAMILY | DIFFER_ADDRESS | DIFFER_PEER, a->family ^ b->family);
	differ_in(differ, DIFFER_PROTOCOL, a->protocol ^ b->protocol);
	differ_in(differ, DIFFER_ADDRESS, address_bits(&a->local, &b->local));
	differ_in(differ, DIFFER_PORT, a->local.port ^ b->local.port);
	differ_in(differ, DIFFER_PEER, ((a->flags ^ b->flags) & EVENT_HAS_PEER) | (a->peer.port ^ b->peer.port) | address_bits(&a->peer, &b->peer));
	differ_in(differ, DIFFER_COMM, comm_bits(a, b));
	differ_in(differ, DIFFER_RULE, rule_bits(a, b)); /* a temporary rule has ended */
}

/* And those in which denials that share a series can, too. */
static __always_inline void key_differences(__u64 *differ, const struct event *a, const struct event *b)
{
	differ_in(differ, DIFFER_GENERATION, a->generation ^ b->generation);
	differ_in(differ, DIFFER_UID, a->uid ^ b->uid);
	differ_in(differ, DIFFER_BINARY, a->binary ^ b->binary);
	differ_in(differ, DIFFER_OPERATION, a->operation ^ b->operation);
	differ_in(differ, DIFFER_ENFORCED, (a->flags ^ b->flags) & EVENT_ENFORCED);
}

static __always_inline void note_differences(struct fold *fold, __u64 differ)
{
	if (differ & ~*(volatile __u64 *)&fold->differ)
		__sync_fetch_and_or(&fold->differ, differ);
}

/* ---------------------------------------------------------------------------------------------
 * Windows
 */

/* Fields of which nothing is known but that the key doesn't have them. */
static __always_inline __u64 unknown(const struct fold *fold)
{
	if (fold->shared)
		return DIFFER_ALL;
	return DIFFER_ALL & ~(DIFFER_GENERATION | DIFFER_UID | DIFFER_BINARY | DIFFER_PORT | DIFFER_OPERATION | DIFFER_ENFORCED);
}

/* Adds to a window: so many repeats, one of which is `event`, and what they are known to differ in. */
VERIFIED_ALONE int count_repeats(struct fold *fold, const struct event *event, __u64 differ, __u32 count)
{
	__u64 word, then;

	if (!fold || !event)
		return false;
	word = *(volatile __u64 *)&fold->word;
	if (!(word & FOLD_OPEN))
		return false;
	if (word & FOLD_EMPTY && !(word & FOLD_CLOSING)) {
		/* The one that `first` is from. */
		if (__sync_val_compare_and_swap(&fold->word, word, ((word & ~FOLD_EMPTY) | FOLD_STARTING) + count) == word) {
			copy_facts(&fold->first, event);
			if (word & FOLD_COUNT) /* of some who came between two windows, only the number is known */
				differ |= unknown(fold);
			note_differences(fold, differ);
			__sync_fetch_and_and(&fold->word, ~FOLD_STARTING);
			return true;
		}
		word = *(volatile __u64 *)&fold->word;
	}
	/* Whoever writes `first` will be through in a moment, unless it is held up. */
	for (int waited = 0; waited < 64 && word & FOLD_STARTING; waited++)
		word = *(volatile __u64 *)&fold->word;
	if (word & (FOLD_STARTING | FOLD_EMPTY)) {
		differ |= unknown(fold);
	} else {
		differences(&differ, &fold->first, event);
		key_differences(&differ, &fold->first, event);
	}
	/* Noted before it counts: the window can be closed after. */
	note_differences(fold, differ);
	then = __sync_fetch_and_add(&fold->word, count);
	if ((word ^ then) & FOLD_RUN)
		note_differences(fold, unknown(fold));
	return then & FOLD_OPEN ? true : false;
}

/* The key of the series that a user's denials share; user FOLD_OTHERS: everybody's. */
static __always_inline void shared_key(struct fold_key *key, __u32 user)
{
	key->generation = 0;
	key->uid = user;
	key->binary = key->port = key->what = FOLD_OTHERS;
}

static __always_inline void open_window(struct fold *fold, __u64 began, __u64 length)
{
	fold->began = began;
	fold->length = length;
	*(volatile __u64 *)&fold->ends = began + (SECOND_NS << (length & 7));
}

static __always_inline bool is_over(const struct fold *fold)
{
	return bpf_ktime_get_boot_ns() >= *(volatile __u64 *)&fold->ends;
}

/* Begins a series with `event`, unless somebody else does; `word`: that of a fold without one. */
static __always_inline bool begin_series(struct fold *fold, const struct event *event, __u64 word, __u64 length)
{
	__u64 run = (word + FOLD_NEXT_RUN) & FOLD_RUN;

	if (__sync_val_compare_and_swap(&fold->word, word, run | FOLD_OPEN | FOLD_STARTING) != word)
		return false;
	open_window(fold, bpf_ktime_get_boot_ns(), length);
	fold->first.path.length = 0;
	copy_facts(&fold->first, event);
	__sync_lock_test_and_set(&fold->differ, 0);
	/* Some may have counted meanwhile, of whom only the number is known: that stays. */
	__sync_fetch_and_xor(&fold->word, FOLD_STARTING | FOLD_EMPTY);
	return true;
}

/* The series that the further denials of `user` share, and when there is no room for that, everybody's. */
static __always_inline struct fold *shared_fold(__u32 user)
{
	struct fold_key key;
	struct fold *fold;

	shared_key(&key, user);
	fold = bpf_map_lookup_elem(&folds, &key);
	if (!fold) {
		bpf_map_update_elem(&folds, &key, &blank_fold, BPF_NOEXIST);
		fold = bpf_map_lookup_elem(&folds, &key);
		if (fold) {
			fold->shared = 1;
			fold->user = user;
			/* Last: until then nobody takes it for one that isn't needed any more. */
			*(volatile __u64 *)&fold->ends = bpf_ktime_get_boot_ns();
		}
	}
	if (fold)
		return fold;
	key.uid = FOLD_OTHERS;
	fold = bpf_map_lookup_elem(&folds, &key);
	if (fold) {
		fold->shared = 1;
		fold->user = FOLD_OTHERS;
	}
	return fold;
}

/*
 * Puts denials, of which `event` is one, into the series that a user's further ones share. It has no first event of its own: all are
 * in the windows'. False: they are in no event.
 */
VERIFIED_ALONE int fold_shared(__u32 user, const struct event *event, __u64 differ, __u32 count)
{
	struct fold *fold;
	__u64 word;

	if (!event)
		return false;
	fold = shared_fold(user);
	if (!fold)
		return false;
	for (int tries = 0; tries < 4; tries++) {
		word = *(volatile __u64 *)&fold->word;
		if (!(word & FOLD_OPEN))
			begin_series(fold, event, word, LONGEST_WINDOW);
		if (count_repeats(fold, event, differ, count))
			return true;
	}
	return false;
}

/* Makes the event of a window, of which the caller is the one who closes it. */
static __always_inline void record_window(struct state *state, struct fold *fold, __u64 next)
{
	__u64 ticket, word, differ;
	struct event *event;

	event = begin_event(state, VERDICT_DENY, 0, &ticket);
	if (event) {
		event->time_boot = bpf_ktime_get_boot_ns();
		event->time_tai = bpf_ktime_get_tai_ns();
		copy_event(event, &fold->first);
	}
	word = __sync_lock_test_and_set(&fold->word, next);
	differ = __sync_lock_test_and_set(&fold->differ, 0);
	if (!event) {
		__sync_fetch_and_add(&state->buffer[VERDICT_DENY].lost, word & FOLD_COUNT);
		return;
	}
	/* Some of whom only the number is known, and nobody else: `first` is from an earlier window. */
	if (word & (FOLD_EMPTY | FOLD_STARTING))
		differ |= unknown(fold);
	event->flags |= fold->hint;
	event->count = word & FOLD_COUNT;
	event->differ = differ;
	if (differ & DIFFER_PEER)
		event->flags &= ~EVENT_HAS_PEER;
	publish_event(event, ticket);
}

enum window_end {
	WINDOW_LEFT,   /* somebody else closes it */
	WINDOW_CLOSED,
	WINDOW_SHARED, /* its repeats go on in the series that is for that */
};

/* The same where the user has no event left: the repeats go on in the series that is for that. */
static __always_inline int share_window(struct state *state, struct fold *fold, __u64 next)
{
	__u64 word, differ;

	/* Nobody writes the next window's first repeat over this one's while that is looked at. */
	word = __sync_lock_test_and_set(&fold->word, (next & FOLD_RUN) | FOLD_OPEN | FOLD_STARTING);
	differ = __sync_lock_test_and_set(&fold->differ, 0);
	if (word & (FOLD_EMPTY | FOLD_STARTING))
		differ |= unknown(fold);
	if (!fold_shared(fold->user, &fold->first, differ, word & FOLD_COUNT))
		__sync_fetch_and_add(&state->buffer[VERDICT_DENY].lost, word & FOLD_COUNT);
	__sync_fetch_and_xor(&fold->word, FOLD_STARTING | FOLD_EMPTY);
	return WINDOW_SHARED;
}

/*
 * Closes the window of `fold`, which is over or old enough, as its word `word` was: with its event if it has repeats, and with the next
 * window, unless that is over too. Returns enum window_end.
 */
VERIFIED_ALONE int close_window(struct state *state, struct fold *fold, __u64 word)
{
	__u64 next = (word + FOLD_NEXT_RUN) & FOLD_RUN, now = bpf_ktime_get_boot_ns(), began, length, then;

	if (!state || !fold || word & FOLD_STARTING)
		return WINDOW_LEFT;
	/* The end of a series: nobody has repeated it. */
	if (!(word & FOLD_COUNT))
		return __sync_val_compare_and_swap(&fold->word, word, word & FOLD_RUN) == word ? WINDOW_CLOSED : WINDOW_LEFT;
	then = __sync_fetch_and_or(&fold->word, FOLD_CLOSING);
	if (then & FOLD_CLOSING)
		return WINDOW_LEFT;
	if ((then ^ word) & (FOLD_RUN | FOLD_OPEN) || then & FOLD_STARTING) { /* it is another window by now, or is about to be */
		__sync_fetch_and_and(&fold->word, ~FOLD_CLOSING);
		return WINDOW_LEFT;
	}
	began = fold->ends < now ? fold->ends : now;
	length = fold->length < LONGEST_WINDOW ? fold->length + 1 : LONGEST_WINDOW;
	if (now < began + (SECOND_NS << (length & 7)))
		next |= FOLD_OPEN | FOLD_EMPTY;
	open_window(fold, began, length);
	if (fold->shared || take_event(fold->user))
		record_window(state, fold, next);
	else
		return share_window(state, fold, next);
	return WINDOW_CLOSED;
}

/* ---------------------------------------------------------------------------------------------
 * Folds come and go
 */

struct fold_search {
	struct state *state;
	__u64 now;
	__u64 age;  /* of windows that are to be closed though they aren't over; 0: none is */
	__u32 user;   /* whose series are looked at, where it isn't everybody's */
	__u32 shared; /* 1: only those that are shared; or: some were added to these */
};

static __always_inline void give_back(__u32 user)
{
	struct share *share = bpf_map_lookup_elem(&shares, &user);

	if (share)
		__sync_fetch_and_add(&share->folds, -1);
}

/* Removes a fold whose series ended so long ago that nobody holds it any more. */
static __always_inline void remove_fold(struct fold_key *key, struct fold *fold, __u64 word)
{
	if (fold->shared || __sync_val_compare_and_swap(&fold->word, word, FOLD_DEAD) != word)
		return;
	if (bpf_map_delete_elem(&folds, key)) /* its bucket was in use just now */
		__sync_lock_test_and_set(&fold->word, 0);
	else
		give_back(fold->user);
}

/* Ends what is over, and makes its event. */
static long tidy_fold(void *map, struct fold_key *key, struct fold *fold, struct fold_search *search)
{
	__u64 word = *(volatile __u64 *)&fold->word;

	if (search->shared && search->user == FOLD_OTHERS && !fold->shared)
		return 0;
	if (!*(volatile __u64 *)&fold->ends) /* it is just being made */
		return 0;
	if (word & FOLD_OPEN) {
		if (search->now >= fold->ends || (search->age && word & FOLD_COUNT && search->now >= fold->began + search->age))
			search->shared |= close_window(search->state, fold, word) == WINDOW_SHARED;
	} else if (!(word & FOLD_DEAD) && search->now > fold->ends + FOLD_KEEP_NS) {
		remove_fold(key, fold, word);
	}
	return 0;
}

static __always_inline void tidy_folds(struct state *state, __u64 age)
{
	struct fold_search search = { .state = state, .now = bpf_ktime_get_boot_ns(), .age = age };

	bpf_for_each_map_elem(&folds, tidy_fold, &search, 0);
	if (!age || !search.shared)
		return;
	/* What was added to a series that is shared is to be current as well. */
	search.age = 1;
	search.user = FOLD_OTHERS;
	search.now = bpf_ktime_get_boot_ns();
	bpf_for_each_map_elem(&folds, tidy_fold, &search, 0);
}

/* Removes folds of one user that aren't needed. What still waits to become an event does so until somebody reads. */
static long drop_fold(void *map, struct fold_key *key, struct fold *fold, struct fold_search *search)
{
	__u64 word = *(volatile __u64 *)&fold->word;

	if (!*(volatile __u64 *)&fold->ends || search->user != fold->user || word & (FOLD_COUNT | FOLD_STARTING | FOLD_CLOSING | FOLD_DEAD))
		return 0;
	if (search->now > fold->ends + FOLD_KEEP_NS)
		remove_fold(key, fold, word);
	return 0;
}

/* True if the user has a fold less than there may be, which is taken. At most once a second it is looked for some that aren't needed. */
static __always_inline bool take_fold(struct share *share, __u32 user)
{
	struct fold_search search = { .user = user };
	__u64 looked;

	if (__sync_fetch_and_add(&share->folds, 1) < FOLDS_PER_USER)
		return true;
	__sync_fetch_and_add(&share->folds, -1);
	search.now = bpf_ktime_get_boot_ns();
	looked = *(volatile __u64 *)&share->looked;
	if (search.now - looked < SECOND_NS || __sync_val_compare_and_swap(&share->looked, looked, search.now) != looked)
		return false;
	bpf_for_each_map_elem(&folds, drop_fold, &search, 0);
	if (__sync_fetch_and_add(&share->folds, 1) < FOLDS_PER_USER)
		return true;
	__sync_fetch_and_add(&share->folds, -1);
	return false;
}

/* Makes the fold of `key`. NULL: there is no room, or the user has enough. */
static __attribute__((noinline)) struct fold *make_fold(const struct fold_key *key, __u32 user)
{
	struct share *share = share_of(user);
	struct fold *fold;
	bool made;

	if (!share)
		return 0;
	if (user == ADMINISTRATOR)
		__sync_fetch_and_add(&share->folds, 1);
	else if (!take_fold(share, user))
		return 0;
	made = !bpf_map_update_elem(&folds, key, &blank_fold, BPF_NOEXIST);
	if (!made)
		__sync_fetch_and_add(&share->folds, -1); /* somebody else made it just now, or there is no room */
	fold = bpf_map_lookup_elem(&folds, key);
	if (fold && made) {
		fold->user = user;
		*(volatile __u64 *)&fold->ends = bpf_ktime_get_boot_ns();
	}
	return fold;
}

enum folded {
	FOLDED,     /* it is counted as a repeat */
	FOLD_FIRST, /* it is the first of a series, and must have its own event */
	FOLD_LOST,  /* there is no room anywhere */
};

/* Keeps the path of a binary for the events of a series that has begun. */
static __attribute__((noinline)) bool keep_path(const struct event *event, __u32 what, __u32 port)
{
	struct fold_key key = { .generation = event->generation, .uid = event->uid, .binary = event->binary, .port = port, .what = what };
	struct fold *fold = bpf_map_lookup_elem(&folds, &key);

	if (!fold)
		return false;
	fold->first.path = event->path;
	fold->hint = event->flags & EVENT_PATH_HINT;
	return true;
}

/* Counts a denial in the series that the further ones of `user` share, and ends the window of that if it is over. */
static __always_inline int fold_further(struct state *state, const struct event *event, __u32 user)
{
	struct fold *fold = shared_fold(user);
	__u64 word = fold ? *(volatile __u64 *)&fold->word : 0;

	if (word & FOLD_OPEN && !(word & (FOLD_STARTING | FOLD_CLOSING)) && is_over(fold))
		CALL(close_window(state, fold, word));
	return fold_shared(user, event, 0, 1) ? FOLDED : FOLD_LOST;
}

/* Counts a denial of `user`, which `event` describes but for its path. `what`, `port`: of its key. Returns enum folded. */
VERIFIED_ALONE int fold_denial(struct state *state, const struct event *event, __u32 what, __u32 port, __u32 user)
{
	struct fold_key key = { 0 };
	struct fold *fold;
	__u64 word;

	if (!state || !event)
		return FOLD_LOST;
	key.generation = event->generation;
	key.uid = event->uid;
	key.binary = event->binary;
	key.port = port;
	key.what = what;
	fold = bpf_map_lookup_elem(&folds, &key);
	if (!fold)
		fold = make_fold(&key, user);
	for (int tries = 0; fold && tries < 4; tries++) {
		word = *(volatile __u64 *)&fold->word;
		if (word & FOLD_DEAD)
			break;
		if (!(word & FOLD_OPEN)) {
			if (!take_event(user))
				break;
			if (begin_series(fold, event, word, 0))
				return FOLD_FIRST;
		} else if (!(word & (FOLD_STARTING | FOLD_CLOSING)) && is_over(fold)) {
			CALL(close_window(state, fold, word));
		} else if (count_repeats(fold, event, 0, 1)) {
			return FOLDED;
		}
	}
	return fold_further(state, event, user);
}

#endif
