/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gets the ids of BPF objects that are open: by those the kernel knows an object, whatever descriptor it is open as.
 */
#ifndef SOCKACCEPT_OBJECT_ID_H
#define SOCKACCEPT_OBJECT_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most maps that the kernel lets a program use (Linux, include/linux/bpf_verifier.h: MAX_USED_MAPS). */
#define PROGRAM_MAPS_MAX 64

struct program_ids {
	uint32_t id;
	uint32_t hook;                   /* LSM program: the BTF id of the hook that it attaches to; others: 0 */
	uint32_t maps[PROGRAM_MAPS_MAX]; /* the ids of the maps that it uses */
	size_t map_count;
};

struct link_ids {
	uint32_t id;
	uint32_t program;
};

/* Returns the id of the map that is open as `fd`, or 0 if the kernel doesn't tell. */
uint32_t map_id(int fd);

/* Fills `ids` for the program that is open as `fd`. Returns false, with all 0, if the kernel doesn't tell. */
bool program_ids(int fd, struct program_ids *ids);

/* Fills `ids` for the link that is open as `fd`, as program_ids() does. */
bool link_ids(int fd, struct link_ids *ids);

#endif
