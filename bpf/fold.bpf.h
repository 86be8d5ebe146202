/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folding: denials that are alike (same user, binary, port and operation, under the same policy) become few events.
 *
 * The first denial is an event at once. Its repeats are counted in windows of 1, 2, 4, ... 64 s, which follow each other while repeats
 * go on (window.bpf.h). Each window with repeats becomes one further event. No timer ends a window: whoever comes first after its end
 * does, the next denial of its key or a reader (close_windows). A window without repeats ends the series; the next denial is then a
 * first one again.
 *
 * A fold is the map entry that holds a series. This file makes and removes folds, and sorts each denial into one. share.bpf.h limits
 * how many a user has.
 */
#ifndef SOCKACCEPT_FOLD_BPF_H
#define SOCKACCEPT_FOLD_BPF_H

#include "window.bpf.h"

#include <bpf/bpf_helpers.h>

/* How long a series is kept that has ended: longer than the kernel lets a program be held up that may still look at it. */
#define FOLD_KEEP_NS (64 * SECOND_NS)
#define FOLDS_PER_USER 64 /* root of the machine has no limit */

struct fold_search {
	struct state *state;
	__u64 now;
	__u64 age;    /* also close windows that are so old, though they aren't over: ns; 0: none of them */
	__u32 user;   /* whose series are looked at; else everybody's */
	__u32 shared; /* 1: look at series of further denials only; after the search: some were added to such a series */
};

/* Gives back one of the folds that a user may have. */
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

/* Closes the window of a fold if it is due, and makes its event. */
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

/*
 * Closes all windows that are due, or that are `age` ns old and have repeats (0: only those that are due), and removes folds that
 * aren't needed.
 */
static __always_inline void tidy_folds(struct state *state, __u64 age)
{
	struct fold_search search = { .state = state, .now = bpf_ktime_get_boot_ns(), .age = age };

	bpf_for_each_map_elem(&folds, tidy_fold, &search, 0);
	if (!age || !search.shared)
		return;
	/* What was added to a series of further denials is to be current too. */
	search.age = 1;
	search.user = FOLD_OTHERS;
	search.now = bpf_ktime_get_boot_ns();
	bpf_for_each_map_elem(&folds, tidy_fold, &search, 0);
}

/* Removes a fold of one user if it isn't needed. Repeats that wait to become an event do so until somebody reads. */
static long drop_fold(void *map, struct fold_key *key, struct fold *fold, struct fold_search *search)
{
	__u64 word = *(volatile __u64 *)&fold->word;

	if (!*(volatile __u64 *)&fold->ends || search->user != fold->user || word & (FOLD_COUNT | FOLD_STARTING | FOLD_CLOSING | FOLD_DEAD))
		return 0;
	if (search->now > fold->ends + FOLD_KEEP_NS)
		remove_fold(key, fold, word);
	return 0;
}

/*
 * Takes one of the folds that a user may have. Returns false if there is none left. At most once a second, looks for folds that aren't
 * needed any more.
 */
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

/* Makes the fold of `key`. Returns NULL if there is no room, or the user has enough. */
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
	FOLDED,     /* counted as a repeat */
	FOLD_FIRST, /* the first of a series: it must have its own event */
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

/* Counts a denial in the series for all further ones of `user`. Closes the window of that if it is over. */
static __always_inline int fold_further(struct state *state, const struct event *event, __u32 user)
{
	struct fold *fold = shared_fold(user);
	__u64 word = fold ? *(volatile __u64 *)&fold->word : 0;

	if (word & FOLD_OPEN && !(word & (FOLD_STARTING | FOLD_CLOSING)) && is_over(fold))
		CALL(close_window(state, fold, word));
	return fold_shared(user, event, 0, 1) ? FOLDED : FOLD_LOST;
}

/* Counts a denial of `user`, which `event` describes except for its path. `what`, `port`: as in its key. Returns enum folded. */
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
