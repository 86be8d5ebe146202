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
#include "policy/cleanup.h"

static bool is_attached(const struct attached_bpf *bpf)
{
	_cleanup_close_ int link = bpf_link_create(bpf_program__fd(bpf->progs.list_attached), 0, BPF_TRACE_ITER, NULL);
	_cleanup_close_ int iterator = link < 0 ? -1 : bpf_iter_create(link);
	char name[BPF_OBJ_NAME_LEN];

	while (iterator >= 0 && read(iterator, name, sizeof(name)) == sizeof(name))
		if (!strncmp(name, ATTACHED_PROGRAM, sizeof(name)))
			return true;
	return false;
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
