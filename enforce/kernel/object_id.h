/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ids by which the kernel knows BPF objects, of open descriptors.
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
	uint32_t hook; /* of an LSM program: the BTF id of what it is attached to; else 0 */
	uint32_t maps[PROGRAM_MAPS_MAX]; /* those that it uses */
	size_t map_count;
};

struct link_ids {
	uint32_t id;
	uint32_t program;
};

/* The id of a map; 0: it can't be told. */
uint32_t map_id(int fd);

/* False: it can't be told, and all is 0. */
bool program_ids(int fd, struct program_ids *ids);
bool link_ids(int fd, struct link_ids *ids);

#endif
