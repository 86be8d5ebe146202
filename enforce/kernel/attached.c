/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loads an iterator program of its own (bpf/attached.bpf.c), which writes the names of attached programs, and looks for ours.
 */
#include "enforce/kernel/attached.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>
#include <unistd.h>

#include "attached.skel.h"
#include "enforce/kernel/iterate.h"

static void compare_name(const void *name, void *attached)
{
	if (!strncmp(name, ATTACHED_PROGRAM, BPF_OBJ_NAME_LEN))
		*(bool *)attached = true;
}

static bool is_attached(const struct attached_bpf *bpf)
{
	bool attached = false;

	iterate(bpf_program__fd(bpf->progs.list_attached), BPF_OBJ_NAME_LEN, compare_name, &attached);
	return attached;
}

bool attached_stays(int count, unsigned pause_us)
{
	struct attached_bpf *bpf;
	bool stays = true;

	libbpf_set_print(NULL);
	bpf = attached_bpf__open_and_load();
	if (!bpf)
		return false;
	while (stays && count-- > 0) {
		stays = is_attached(bpf);
		if (stays)
			usleep(pause_us);
	}
	attached_bpf__destroy(bpf);
	return stays;
}
