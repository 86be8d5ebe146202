/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel side as user space holds it: descriptors of the pinned maps, and how they come and go.
 */
#ifndef SOCKACCEPT_KERNEL_H
#define SOCKACCEPT_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/shared/sockaccept.h"
#include "enforce/base/status.h"
#include "enforce/kernel/object_id.h"
#include "enforce/kernel/pins.h"

struct kernel {
	/*
	 * -1: not open. Links never are, but from kernel_prepare() to the end of kernel_attach(): while anybody holds
	 * one, its program stays attached, whatever is unpinned.
	 */
	int fd[KERNEL_OBJECTS];
	struct control *control; /* mapped; NULL: not yet, or the policy is locked */
	struct state *state;     /* mapped; NULL: not yet */
	bool writable;           /* both are */
};

#define KERNEL_INIT { .fd = { [0 ... KERNEL_OBJECTS - 1] = -1 } }

/* Unmaps control and state. */
void kernel_unmap(struct kernel *kernel);

/*
 * Closes what `lock` lets nobody hold. For who keeps the rest open for long, and only reads: events, counters and names.
 */
void kernel_keep_readable(struct kernel *kernel);

/* Closes and unmaps everything. What is pinned stays. For use with __attribute__((cleanup)). */
void kernel_close(struct kernel *kernel);
#define _cleanup_kernel_ __attribute__((cleanup(kernel_close)))

/*
 * STATUS_DONE if a kernel side is there, this version's or another's. Otherwise says what is wrong (STATUS_NOT_LOADED:
 * silently, if `quiet`) and returns it.
 */
enum status kernel_is_loaded(bool quiet);

/*
 * A number that stays the same until the kernel side is unloaded; 0: nothing is loaded.
 */
unsigned long long kernel_instance(void);

/*
 * The layout of the kernel side that is there, this version's or another's, into *layout. Says what is wrong.
 */
enum status kernel_layout(uint64_t *layout);

/* STATUS_DONE if the kernel side that is there is not a newer version's; otherwise says so, or what is wrong. */
enum status kernel_refuse_newer(void);

/* STATUS_DONE if the policy isn't locked; otherwise says so, and returns STATUS_NOT_PERMITTED. */
enum status kernel_refuse_locked(void);

/*
 * Opens what is pinned, for reading; and for writing if `write`. Control and state are mapped in the same way. When the policy
 * is locked, what decisions depend on is not opened (its descriptors are -1, control is NULL), and `write` is refused, as it is
 * when a `lock` has frozen it and didn't come to its end. Returns STATUS_DONE, or
 * says what is wrong and returns STATUS_NOT_LOADED (also silently if `quiet`), STATUS_NOT_PERMITTED,
 * STATUS_UNSUPPORTED (no bpffs, or another mount namespace's) or STATUS_FAILED (another layout).
 */
enum status kernel_open(struct kernel *kernel, bool write, bool quiet);

/*
 * The same of one that a `lock` has frozen and not locked (locked_has_frozen()), for locking it: nothing is mapped. Says what is
 * wrong.
 */
enum status kernel_open_frozen(struct kernel *kernel);

/*
 * Loads the programs and maps of this executable; nothing is pinned yet, but for the pin directory, and nothing
 * attached but superblock_free, which has to see each file system go from when the first rule is made on one. What an
 * attempt that was cut short left there is removed first. Each buffer holds `events` events, a power of two. Says what is
 * wrong, and the remedy.
 */
enum status kernel_prepare(struct kernel *kernel, uint32_t events);

/*
 * Loads the programs and maps as kernel_prepare() does, and lets them go again: nothing is attached, pinned or kept. *mib: how
 * much of the kernel's memory the maps take. Says what is wrong, and the remedy.
 */
enum status kernel_try(uint32_t events, unsigned *mib);

/* Maps the memory of MAP_CONTROL or MAP_STATE, which is open, and for writing if `write`. Returns 0 or -errno. */
int kernel_map(struct kernel *kernel, enum kernel_object object, bool write);

/* How many events each buffer holds; 0: errno says why it isn't known. */
uint32_t kernel_events(const struct kernel *kernel);

/*
 * Attaches what kernel_prepare() loaded and pins it, the link of socket_accept last: from then on the policy, which
 * must be in place, is enforced. When it fails, nothing is pinned, and nothing attached once `kernel` is closed.
 */
enum status kernel_attach(struct kernel *kernel);

/* Detaches and removes everything that is pinned. */
enum status kernel_detach(void);

/*
 * The ids of a pinned link. False: it isn't there, or none. Opened for a moment only, so under the lock: a link that
 * somebody holds stays attached.
 */
bool kernel_link_ids(enum kernel_object link, struct link_ids *ids);

#endif
