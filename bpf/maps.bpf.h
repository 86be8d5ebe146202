/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps. What each is for stands in sockaccept.h.
 */
#ifndef SOCKACCEPT_MAPS_BPF_H
#define SOCKACCEPT_MAPS_BPF_H

#include "kernel_types.h"
#include "sockaccept.h"

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
	__uint(max_entries, 1);
	__array(values, struct policy_image);
} policy SEC(".maps");

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
	__type(value, struct file_tag);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} file_tags SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__type(key, int);
	__type(value, struct lookup);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} lookups SEC(".maps");

/* Bounded: when it is full, the path of a further binary is computed for each event. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, struct seen_path);
	__uint(max_entries, 4096);
} seen_paths SEC(".maps");

/* An entry for each unit that accepts: users can make neither units nor their names. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, __u64);
	__type(value, struct unit);
	__uint(max_entries, 8192);
} units SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, RULE_COUNTERS);
} rule_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct binary_counter);
	__uint(max_entries, MAX_BINARIES);
} binary_counters SEC(".maps");

/* Apart, so that binaries which anybody can make by copying a file take no room from those that rules name. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct port_group);
	__uint(max_entries, NAMED_PORT_GROUPS);
	__uint(map_flags, BPF_F_MMAPABLE);
} named_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct port_group);
	__uint(max_entries, UNNAMED_PORT_GROUPS);
	__uint(map_flags, BPF_F_MMAPABLE);
} unnamed_ports SEC(".maps");

struct event_buffer {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct event);
	__uint(max_entries, DEFAULT_EVENTS);
	__uint(map_flags, BPF_F_MMAPABLE);
};

struct event_buffer denied_events SEC(".maps");
struct event_buffer accepted_events SEC(".maps");

#endif
