/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks the kernel for the information about an open object, and keeps the ids in it.
 */
#include "enforce/kernel/object_id.h"

#include <bpf/bpf.h>

uint32_t map_id(int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.id;
}

bool program_ids(int fd, struct program_ids *ids)
{
	struct bpf_prog_info info = { .nr_map_ids = PROGRAM_MAPS_MAX, .map_ids = (uintptr_t)ids->maps };
	__u32 size = sizeof(info);

	*ids = (struct program_ids){ 0 };
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return false;
	ids->id = info.id;
	ids->hook = info.type == BPF_PROG_TYPE_LSM ? info.attach_btf_id : 0;
	ids->map_count = info.nr_map_ids < PROGRAM_MAPS_MAX ? info.nr_map_ids : PROGRAM_MAPS_MAX;
	return true;
}

bool link_ids(int fd, struct link_ids *ids)
{
	struct bpf_link_info info = { 0 };
	__u32 size = sizeof(info);

	*ids = (struct link_ids){ 0 };
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return false;
	*ids = (struct link_ids){ .id = info.id, .program = info.prog_id };
	return true;
}
