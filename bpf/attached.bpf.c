/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells whether a program of ours decides about accepts, for callers that have no right to look for objects by their ids: `load` asks
 * before it attaches one, if there are no pins (enforce/kernel/attached.c).
 *
 *   iter/bpf_link     list_attached: writes the name of each LSM program that a link attaches. Guards nothing and changes
 *                     nothing.
 */
#include "kernel_types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

/* Only what no other program looks into. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct bpf_link {
	struct bpf_prog *prog;
};

struct bpf_iter__bpf_link {
	struct bpf_iter_meta *meta;
	struct bpf_link *link;
};

#pragma clang attribute pop

SEC("iter/bpf_link")
int list_attached(struct bpf_iter__bpf_link *ctx)
{
	struct bpf_link *link = ctx->link;
	struct bpf_prog *prog = link ? BPF_CORE_READ(link, prog) : NULL;
	char name[BPF_OBJ_NAME_LEN] = {};

	if (!prog || BPF_CORE_READ(prog, type) != BPF_PROG_TYPE_LSM)
		return 0;
	BPF_CORE_READ_INTO(&name, prog, aux, name);
	bpf_seq_write(ctx->meta->seq, name, sizeof(name));
	return 0;
}
