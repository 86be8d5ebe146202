/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard of a locked policy (bpf/guard.bpf.c): what it protects, and what it tells `lock` about mounts.
 */
#ifndef SOCKACCEPT_SHARED_GUARD_H
#define SOCKACCEPT_SHARED_GUARD_H

#include <linux/types.h>

/* What is guarded, by the kernel's id for it. The kernel gives an id to nothing else while the object exists. */
enum guarded_kind {
	GUARDED_MAP,     /* by map id */
	GUARDED_PROGRAM, /* by program id */
	GUARDED_HOOK,    /* by the BTF id of the function that LSM programs attach to */
};

enum guarded_level {
	GUARDED_NOT,
	GUARDED_FROM_WRITING, /* may be opened for reading */
	GUARDED_WHOLLY,
};

/* Key of `guarded`; the value is a u32 enum guarded_level. */
struct guarded_key {
	__u32 kind; /* enum guarded_kind */
	__u32 id;
};

/* Value of `refusals`. */
struct refusals {
	__u64 count; /* what the guard has refused since `lock` */
};

enum mount_flag {
	MOUNT_IS_MACHINES = 1 << 0, /* in the mount namespace of process 1 */
	MOUNT_HAS_ROOT = 1 << 1,    /* at most PIN_MOUNTS_MAX mounts are above it */
};
#define PIN_MOUNTS_MAX 32

/* Record that the guard's iterator `list_mounts` writes for each open file of the process that it is attached to. */
struct mount_identity {
	__u32 fd;
	__u32 flags;   /* enum mount_flag */
	__u64 address; /* of the mount that the file is on */
};

_Static_assert(sizeof(struct guarded_key) == 8, "no padding: it is hashed");
_Static_assert(sizeof(struct mount_identity) == 16, "no padding");

#endif
