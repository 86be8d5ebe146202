/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who has one of our objects in the kernel: processes by their descriptors, and BPF programs that aren't ours.
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
	uint32_t readable[OBJECT_IDS_MAX]; /* those of the maps that anybody may hold who only reads */
	uint32_t hooks[OBJECT_IDS_MAX];    /* BTF ids of what LSM programs among them are attached to */
	uint32_t open_programs[OBJECT_IDS_MAX]; /* those of the programs that anybody may hold */
	size_t map_count, program_count, link_count, readable_count, hook_count, open_program_count;
};

/* True if the id is in a list. */
bool object_ids_has(const uint32_t *list, size_t count, uint32_t id);

/* Adds an id to a list, unless it is there or the list is full. */
void object_ids_add(uint32_t *list, size_t *count, uint32_t id);

/*
 * STATUS_DONE if nobody but this process holds one of `ids`. Otherwise says who does, and how to end it. A descriptor that is
 * under way over a socket, or that only io_uring or one thread has, isn't seen. Needs CAP_SYS_ADMIN and CAP_SYS_PTRACE.
 */
enum status holders_check(const struct object_ids *ids);

#endif
