/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Windows: how repeats of a denial are counted, and how a window becomes an event.
 *
 * The event of a window has what all its repeats have in common. `first` keeps the first repeat, and each repeat that differs from it
 * says in which fields. One word counts the repeats, so that each denial is in exactly one event:
 *
 *   no flag                        no series
 *   FOLD_OPEN | FOLD_EMPTY         a window without repeats so far. The first repeat exchanges this for
 *   FOLD_OPEN | FOLD_STARTING      `first` is being written; then
 *   FOLD_OPEN                      others compare themselves with `first`, and count
 *   ... | FOLD_CLOSING             somebody makes the event. Repeats still count, until the word is exchanged for the next window's
 *   FOLD_DEAD                      the fold is being removed
 *
 * Example: in its third window, after 5 repeats, the word of a series is FOLD_OPEN | 3 * FOLD_NEXT_RUN | 5.
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
_Static_assert(((FOLD_OPEN | FOLD_STARTING | FOLD_EMPTY | FOLD_CLOSING | FOLD_DEAD) & (FOLD_RUN | FOLD_COUNT)) == 0,
	       "the repeats, the window's number and the flags share a word");
_Static_assert(FOLD_NEXT_RUN == FOLD_COUNT + 1, "the window's number is above the repeats");

struct fold {
	__u64 word;  /* the repeats, the window's number, and flags */
	__u64 began; /* when the window began */
	__u64 ends;
	__u64 length;       /* of the window, as a power of two: 3 stands for 8 s */
	__u64 differ;       /* enum event_difference: in what repeats differ from `first` */
	__u32 user;         /* whose share it takes from */
	__u16 shared;       /* 1: it is the series for all further denials of the user */
	__u16 hint;         /* about the path: EVENT_PATH_HINT or 0 */
	struct event first; /* its path is that of the series, known once that has begun */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct fold_key);
	__type(value, struct fold);
	__uint(max_entries, MAX_FOLDS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} folds SEC(".maps");

static const struct fold blank_fold;

/* Adds to the fields in which repeats differ. */
static __always_inline void note_differences(struct fold *fold, __u64 differ)
{
	if (differ & ~*(volatile __u64 *)&fold->differ)
		__sync_fetch_and_or(&fold->differ, differ);
}

/* Returns the fields of which nothing is known: all that the key doesn't have. */
static __always_inline __u64 unknown(const struct fold *fold)
{
	if (fold->shared)
		return DIFFER_ALL;
	return DIFFER_ALL & ~(DIFFER_GENERATION | DIFFER_UID | DIFFER_BINARY | DIFFER_PORT | DIFFER_OPERATION | DIFFER_ENFORCED);
}

/*
 * Counts repeats in a window: `count` of them, one of which is `event`, which are known to differ in `differ`. Returns false if no
 * window is open.
 */
VERIFIED_ALONE int count_repeats(struct fold *fold, const struct event *event, __u64 differ, __u32 count)
{
	__u64 word, then;

	if (!fold || !event)
		return false;
	word = *(volatile __u64 *)&fold->word;
	if (!(word & FOLD_OPEN))
		return false;
	if (word & FOLD_EMPTY && !(word & FOLD_CLOSING)) {
		/* This is the first repeat of the window. */
		if (__sync_val_compare_and_swap(&fold->word, word, ((word & ~FOLD_EMPTY) | FOLD_STARTING) + count) == word) {
			copy_facts(&fold->first, event);
			if (word & FOLD_COUNT) /* some came between two windows, and only their number is known */
				differ |= unknown(fold);
			note_differences(fold, differ);
			__sync_fetch_and_and(&fold->word, ~FOLD_STARTING);
			return true;
		}
		word = *(volatile __u64 *)&fold->word;
	}
	/* Whoever writes `first` is done in a moment, unless it is held up. */
	for (int waited = 0; waited < 64 && word & FOLD_STARTING; waited++)
		word = *(volatile __u64 *)&fold->word;
	if (word & (FOLD_STARTING | FOLD_EMPTY)) {
		differ |= unknown(fold);
	} else {
		differences(&differ, &fold->first, event);
		key_differences(&differ, &fold->first, event);
	}
	/* Noted before it counts: the window can be closed after that. */
	note_differences(fold, differ);
	then = __sync_fetch_and_add(&fold->word, count);
	if ((word ^ then) & FOLD_RUN)
		note_differences(fold, unknown(fold));
	return then & FOLD_OPEN ? true : false;
}

/* Makes the key of the series for all further denials of a user. User FOLD_OTHERS: everybody's. */
static __always_inline void shared_key(struct fold_key *key, __u32 user)
{
	key->generation = 0;
	key->uid = user;
	key->binary = key->port = key->what = FOLD_OTHERS;
}

/* Sets when a window begins and ends. `began`: ns of CLOCK_BOOTTIME; `length`: as a power of two, in s. */
static __always_inline void open_window(struct fold *fold, __u64 began, __u64 length)
{
	fold->began = began;
	fold->length = length;
	*(volatile __u64 *)&fold->ends = began + (SECOND_NS << (length & 7));
}

/* True if the window of a fold is over. */
static __always_inline bool is_over(const struct fold *fold)
{
	return bpf_ktime_get_boot_ns() >= *(volatile __u64 *)&fold->ends;
}

/* Begins a series with `event`. Returns false if somebody else does. `word`: that of a fold without a series. */
static __always_inline bool begin_series(struct fold *fold, const struct event *event, __u64 word, __u64 length)
{
	__u64 run = (word + FOLD_NEXT_RUN) & FOLD_RUN;

	if (__sync_val_compare_and_swap(&fold->word, word, run | FOLD_OPEN | FOLD_STARTING) != word)
		return false;
	open_window(fold, bpf_ktime_get_boot_ns(), length);
	fold->first.path.length = 0;
	copy_facts(&fold->first, event);
	__sync_lock_test_and_set(&fold->differ, 0);
	/* Some may have counted meanwhile, and only their number is known: it stays. */
	__sync_fetch_and_xor(&fold->word, FOLD_STARTING | FOLD_EMPTY);
	return true;
}

/* Returns the series for all further denials of `user`; if there is no room for one, everybody's. */
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
			/* Last: until it is set, nobody takes the fold for one that isn't needed any more. */
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
 * Counts denials, of which `event` is one, in the series for all further ones of a user. Returns false if they are in no event. This
 * series has no first event of its own: all its denials are in those of its windows.
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

/* Makes the event of a window. The caller is the one that closes it. */
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
	/* Only the number of some is known, and there was no other: `first` is from an earlier window. */
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
	WINDOW_LEFT, /* somebody else closes it */
	WINDOW_CLOSED,
	WINDOW_SHARED, /* its repeats go on in the series for all further denials */
};

/* The same if the user has no event left: the repeats go on in the series for all further denials. */
static __always_inline int share_window(struct state *state, struct fold *fold, __u64 next)
{
	__u64 word, differ;

	/* STARTING, so that nobody writes the next window's first repeat over `first` while it is read. */
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
 * Closes the window of `fold`, which is over or old enough, when its word was `word`. Makes its event if it has repeats, and opens the
 * next window, unless that is over too. Returns enum window_end.
 */
VERIFIED_ALONE int close_window(struct state *state, struct fold *fold, __u64 word)
{
	__u64 next = (word + FOLD_NEXT_RUN) & FOLD_RUN, now = bpf_ktime_get_boot_ns(), began, length, then;

	if (!state || !fold || word & FOLD_STARTING)
		return WINDOW_LEFT;
	/* Nobody has repeated it: the series ends. */
	if (!(word & FOLD_COUNT))
		return __sync_val_compare_and_swap(&fold->word, word, word & FOLD_RUN) == word ? WINDOW_CLOSED : WINDOW_LEFT;
	then = __sync_fetch_and_or(&fold->word, FOLD_CLOSING);
	if (then & FOLD_CLOSING)
		return WINDOW_LEFT;
	if ((then ^ word) & (FOLD_RUN | FOLD_OPEN) || then & FOLD_STARTING) { /* it is another window by now, or will be in a moment */
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
