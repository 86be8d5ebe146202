/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The windows in which repeats of denials are counted.
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
 */
#ifndef SOCKACCEPT_WINDOW_BPF_H
#define SOCKACCEPT_WINDOW_BPF_H

#include "difference.bpf.h"
#include "event.bpf.h"
#include "share.bpf.h"

#include <bpf/bpf_helpers.h>

#define LONGEST_WINDOW 6 /* 2^6 = 64 s */
#define MAX_FOLDS 16384

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

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct fold_key);
	__type(value, struct fold);
	__uint(max_entries, MAX_FOLDS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} folds SEC(".maps");

static const struct fold blank_fold;

static __always_inline void note_differences(struct fold *fold, __u64 differ)
{
	if (differ & ~*(volatile __u64 *)&fold->differ)
		__sync_fetch_and_or(&fold->differ, differ);
}

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

#endif
