/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds who else holds one of our objects in the kernel: processes by their descriptors, and BPF programs that aren't ours.
 */
#ifndef SOCKACCEPT_HOLDERS_H
#define SOCKACCEPT_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enforce/base/status.h"

#define OBJECT_IDS_MAX 128

/* Ids as the kernel gives them, a list for each kind of object. Zero-initialised is empty. */
struct object_ids {
	uint32_t maps[OBJECT_IDS_MAX], programs[OBJECT_IDS_MAX], links[OBJECT_IDS_MAX];
	uint32_t readable[OBJECT_IDS_MAX];      /* maps that anybody may hold for reading */
	uint32_t hooks[OBJECT_IDS_MAX];         /* BTF ids of what the LSM programs are attached to */
	uint32_t open_programs[OBJECT_IDS_MAX]; /* programs that anybody may hold */
	size_t map_count, program_count, link_count, readable_count, hook_count, open_program_count;
};

/* Returns true if `id` is in `list`. */
bool object_ids_has(const uint32_t *list, size_t count, uint32_t id);

/* Adds `id` to `list`, unless it is 0 or there already, or the list is full. */
void object_ids_add(uint32_t *list, size_t *count, uint32_t id);

/*
 * Returns STATUS_DONE if nobody but this process holds one of `ids`. Otherwise prints who does and how to end that, and returns
 * STATUS_FAILED. Doesn't see a descriptor that is under way over a socket, or that only io_uring or a single thread has. Needs
 * CAP_SYS_ADMIN and CAP_SYS_PTRACE.
 */
enum status holders_check(const struct object_ids *ids);

#endif
