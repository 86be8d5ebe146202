/* SPDX-License-Identifier: GPL-2.0-only */
/*
 *   syscall             close_windows: makes the events of repeats that nobody else has made. Runs when somebody reads events.
 */
#ifndef SOCKACCEPT_CLOSE_BPF_H
#define SOCKACCEPT_CLOSE_BPF_H

#include "fold.bpf.h"
#include "settle.bpf.h"

#include <bpf/bpf_helpers.h>

SEC("syscall")
int close_windows(struct closing *closing)
{
	struct state *counters;
	__u32 zero = 0;

	counters = bpf_map_lookup_elem(&state, &zero);
	if (!counters)
		return 0;
	closing->left = sweep_calls(counters);
	tidy_folds(counters, closing->age);
	return 0;
}

#endif
