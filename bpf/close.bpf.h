/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes the events that are due, before somebody reads.
 *
 *   syscall   close_windows: closes the windows that are over and records calls whose end nobody saw. Runs when somebody reads
 *             events. Must never record anything twice, as readers run it at the same time.
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
