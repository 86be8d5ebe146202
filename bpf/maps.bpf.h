/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps that are pinned, but for `folds` and `shares`. shared/sockaccept.h says what each is for.
 */
#ifndef SOCKACCEPT_MAPS_BPF_H
#define SOCKACCEPT_MAPS_BPF_H

#include "kernel_types.h"
#include "shared/sockaccept.h"

#include <bpf/bpf_helpers.h>

struct policy_image {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(key_size, sizeof(__u32)); /* clang 14 leaves an inner map's __type(value, ...) incomplete */
	__uint(value_size, sizeof(struct policy_page));
	__uint(max_entries, 1); /* each image has its own number of pages */
	__uint(map_flags, BPF_F_INNER_MAP | BPF_F_RDONLY_PROG);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(key_size, sizeof(__u32));
	__uint(max_entries, POLICY_SLOTS);
	__array(values, struct policy_image);
} policy SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct control);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct state);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
} state SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct entry_key);
	__type(value, __u32);
	__uint(max_entries, MAX_ENTRIES);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
} entries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u64);
	__type(value, struct superblock);
	__uint(max_entries, MAX_SUPERBLOCKS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} superblocks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct path_key);
	__type(value, struct path_chunk);
	__uint(max_entries, MAX_BINARIES * 2);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
} binary_paths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__type(key, int);
	__type(value, struct executable);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} executables SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__type(key, int);
	__type(value, struct process);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__type(key, int);
	__type(value, struct listened);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} listened SEC(".maps");

/* Asks the drain service to look at the listeners: one has a denied connection in its queue, or a gate that refuses. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} drain_calls SEC(".maps");

/* Bounded, because anybody can make binaries. If an entry was pushed out, the path is computed again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, __u32);
	__type(value, struct kept_path);
	__uint(max_entries, 4096);
} seen_paths SEC(".maps");

/* An entry for each unit that accepts. Users can make neither units nor their names. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, __u64);
	__type(value, struct unit);
	__uint(max_entries, 8192);
} units SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct rule_counter);
	__uint(max_entries, RULE_COUNTERS);
} rule_counters SEC(".maps");

/*
 * `ports` is one map, though named and unnamed groups could have one each; so is `events` with its two buffers. If the compiler can't
 * tell which map a look-up is in, the look-up is a call instead of eight instructions.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct port_group);
	__uint(max_entries, NAMED_PORT_GROUPS + UNNAMED_PORT_GROUPS);
	__uint(map_flags, BPF_F_MMAPABLE);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct binary_counter);
	__uint(max_entries, MAX_BINARIES);
} other_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct event);
	__uint(max_entries, VERDICTS *DEFAULT_EVENTS);
	__uint(map_flags, BPF_F_MMAPABLE);
} events SEC(".maps");

#endif
