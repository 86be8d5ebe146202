/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opens and loads the skeleton that is built from bpf/sockaccept.bpf.c. Most of this is about saying why that failed.
 */
#include "enforce/kernel/load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "enforce/kernel/kernel.h"
#include "enforce/kernel/load_warnings.h"
#include "enforce/kernel/prerequisites.h"
#include "policy/cleanup.h"
#include "policy/text.h"
#include "sockaccept.skel.h"

/* ---------------------------------------------------------------------------------------------
 * Memory
 */

static uint64_t round_up(uint64_t number, uint64_t step)
{
	return (number + step - 1) / step * step;
}

/* Returns about how much of the kernel's memory a new, empty map takes. */
static uint64_t map_bytes(const struct bpf_map *map)
{
	uint64_t entries = bpf_map__max_entries(map), value = round_up(bpf_map__value_size(map), 8), buckets = 1;

	switch (bpf_map__type(map)) {
	case BPF_MAP_TYPE_ARRAY: return round_up(entries * value, 4096);
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
		while (buckets < entries)
			buckets *= 2;
		if (bpf_map__map_flags(map) & BPF_F_NO_PREALLOC)
			entries = 0;
		return 16 * buckets + entries * (64 + round_up(bpf_map__key_size(map), 8) + value);
	default: return 0;
	}
}

static uint64_t all_maps_bytes(const struct sockaccept_bpf *bpf)
{
	const struct bpf_map *map;
	uint64_t sum = 0;

	bpf_object__for_each_map (map, bpf->obj)
		sum += map_bytes(map);
	return sum;
}

static unsigned in_mib(uint64_t bytes)
{
	return (unsigned)(round_up(bytes, 1U << 20) >> 20);
}

enum status load_lacks_memory(const struct sockaccept_bpf *bpf)
{
	return fail(STATUS_FAILED,
		    "not enough memory for the kernel side: its maps want %u MiB of the kernel's, %u MiB of them for "
		    "events; set `events` lower than %u in the policy, or give the machine, or the control group that this runs in, more "
		    "memory",
		    in_mib(all_maps_bytes(bpf)), in_mib(map_bytes(bpf->maps.events)), bpf_map__max_entries(bpf->maps.events) / VERDICTS);
}

/* ---------------------------------------------------------------------------------------------
 * Why it failed
 */

/* Prints what the kernel said, and as much of the meaning and the remedy as is known. */
static enum status refused_program(int error)
{
	const struct load_error *told = load_warnings();
	const char *meaning = load_error_meaning(told);
	_cleanup_free_ char *said = text_format("the kernel doesn't take the program%s%s (%s): %s", *told->program ? " " : "",
						told->program, strerror(-error), told->reason);
	char release[65];

	if (prerequisite_is_old(release, sizeof(release)))
		return fail(STATUS_UNSUPPORTED, "%s; Linux 6.1 or newer is needed, and this is %s", said, release);
	if (meaning)
		return fail(STATUS_UNSUPPORTED, "%s; %s", said, meaning);
	return fail(STATUS_UNSUPPORTED, "%s; what to do about it is not known for Linux %s: one of Debian's kernels from 6.1 on takes it",
		    said, release);
}

/* Returns true if the kernel couldn't make an inode storage map: without BPF LSM, inodes have no room for it. */
static bool lacks_inode_storage(const struct sockaccept_bpf *bpf)
{
	const struct bpf_map *map;

	bpf_object__for_each_map (map, bpf->obj) {
		_cleanup_free_ char *failed = text_format("map '%s': failed to create", bpf_map__name(map));

		if (bpf_map__type(map) == BPF_MAP_TYPE_INODE_STORAGE && strstr(load_warnings()->reason, failed))
			return true;
	}
	return false;
}

static enum status load_failed(const struct sockaccept_bpf *bpf, int error)
{
	/* E2BIG stands for a map that is too big, but also for a program that is too long. */
	if (error == -ENOMEM || (error == -E2BIG && strstr(load_warnings()->reason, "failed to create")))
		return load_lacks_memory(bpf);
	if (error == -EPERM)
		return fail(STATUS_UNSUPPORTED,
			    "the kernel refuses to load LSM programs (%s): %s; it is locked down, or a "
			    "sandbox forbids them",
			    strerror(-error), load_warnings()->reason);
	if (lacks_inode_storage(bpf))
		return prerequisite_lsm_is_missing("the kernel keeps nothing with an inode");
	return refused_program(error);
}

/* ---------------------------------------------------------------------------------------------
 * Loading
 */

/* Sets how many events each buffer holds, a power of two. */
static int set_events(struct sockaccept_bpf *bpf, uint32_t events)
{
	bpf->rodata->slot_mask = events - 1;
	return bpf_map__set_max_entries(bpf->maps.events, VERDICTS * events);
}

enum status load_programs(uint32_t events, struct sockaccept_bpf **bpf)
{
	int error;

	load_warnings_keep();
	*bpf = sockaccept_bpf__open();
	if (!*bpf)
		return fail(STATUS_FAILED, "can't read the built-in BPF object: %s", strerror(errno));
	error = set_events(*bpf, events);
	if (!error)
		error = sockaccept_bpf__load(*bpf);
	return error ? load_failed(*bpf, error) : STATUS_DONE;
}

enum status kernel_try(uint32_t events, unsigned *mib)
{
	struct sockaccept_bpf *bpf = NULL;
	enum status status = load_programs(events, &bpf);

	if (status == STATUS_DONE)
		*mib = in_mib(all_maps_bytes(bpf));
	sockaccept_bpf__destroy(bpf);
	return status;
}
