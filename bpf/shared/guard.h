/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard of a locked policy.
 */
#ifndef SOCKACCEPT_SHARED_GUARD_H
#define SOCKACCEPT_SHARED_GUARD_H

#include <linux/types.h>

/* What the guard guards (bpf/guard.bpf.c), by the kernel's ids, which are never given again while the object is there. */
enum guarded_kind {
	GUARDED_MAP,
	GUARDED_PROGRAM,
	GUARDED_HOOK, /* by the BTF id of what LSM programs are attached to */
};

enum guarded_level {
	GUARDED_NOT,
	GUARDED_FROM_WRITING, /* may be opened for reading */
	GUARDED_WHOLLY,
};

struct guarded_key {
	__u32 kind;
	__u32 id;
};

struct refusals {
	__u64 count;
};

enum mount_flag {
	MOUNT_IS_MACHINES = 1 << 0, /* of the mount namespace of process 1 */
	MOUNT_HAS_ROOT = 1 << 1,    /* at most PIN_MOUNTS_MAX mounts are above it */
};
#define PIN_MOUNTS_MAX 32

/* Record that the guard's iterator `list_mounts` writes for each open file of the process it is attached to. */
struct mount_identity {
	__u32 fd;
	__u32 flags;   /* enum mount_flag */
	__u64 address; /* of its mount */
};

#endif
