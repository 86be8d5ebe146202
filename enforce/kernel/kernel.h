/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel side (the BPF programs and maps) as user space holds it: opens, loads, attaches and removes it.
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
	 * Descriptors; -1: not open. Those of links are only open from kernel_prepare() to the end of kernel_attach(): while anybody
	 * holds a link, its program stays attached, whatever is unpinned.
	 */
	int fd[KERNEL_OBJECTS];
	struct control *control; /* mapped; NULL: not yet, or the policy is locked */
	struct state *state;     /* mapped; NULL: not yet */
	bool writable;           /* control and state are mapped for writing */
};

#define KERNEL_INIT                                       \
	{                                                 \
		.fd = { [0 ... KERNEL_OBJECTS - 1] = -1 } \
	}

/* ---------------------------------------------------------------------------------------------
 * Opening what is pinned
 */

/*
 * Returns STATUS_DONE if a kernel side is loaded, of this version or another. Otherwise prints what is wrong (not STATUS_NOT_LOADED, if
 * `quiet`) and returns it.
 */
enum status kernel_is_loaded(bool quiet);

/* Returns a number that stays the same until the kernel side is unloaded, or 0 if none is loaded. */
unsigned long long kernel_instance(void);

/* Sets *layout to the layout of the kernel side that is loaded, of this version or another. Prints what is wrong. */
enum status kernel_layout(uint64_t *layout);

/* Returns STATUS_DONE if the kernel side that is loaded is not a newer version's. Otherwise prints that, or what is wrong. */
enum status kernel_refuse_newer(void);

/* Returns STATUS_DONE if the policy isn't locked. Otherwise prints that it is, and returns STATUS_NOT_PERMITTED. */
enum status kernel_refuse_locked(void);

/*
 * Opens the pinned maps and programs, and maps control and state, for reading; and for writing if `write`.
 *
 * When the policy is locked, what decisions depend on stays closed (the descriptors are -1, control is NULL), and `write` is refused.
 * `write` is also refused when a `lock` has frozen the maps without locking the policy.
 *
 * Returns STATUS_DONE. Otherwise prints what is wrong and returns STATUS_NOT_LOADED (without printing, if `quiet`),
 * STATUS_NOT_PERMITTED, STATUS_UNSUPPORTED (no bpffs, or that of another mount namespace) or STATUS_FAILED (for one, another layout).
 * Call kernel_close() in any case.
 */
enum status kernel_open(struct kernel *kernel, bool write, bool quiet);

/*
 * Opens for writing what a `lock` has frozen without locking the policy (locked_has_frozen()), so that it can be locked. Maps nothing
 * into memory. Prints what is wrong.
 */
enum status kernel_open_frozen(struct kernel *kernel);

/* Maps the memory of MAP_CONTROL or MAP_STATE, which must be open; for writing as well if `write`. Returns 0 or -errno. */
int kernel_map(struct kernel *kernel, enum kernel_object object, bool write);

/* Unmaps control and state. */
void kernel_unmap(struct kernel *kernel);

/* Closes what nobody may hold while the policy is locked. For a process that runs for long and only reads events, counters and names. */
void kernel_keep_readable(struct kernel *kernel);

/* Closes and unmaps everything. What is pinned stays. For use with __attribute__((cleanup)). */
void kernel_close(struct kernel *kernel);
#define _cleanup_kernel_ __attribute__((cleanup(kernel_close)))

/* Returns how many events each buffer holds; 0 if that can't be found out: errno says why. */
uint32_t kernel_events(const struct kernel *kernel);

/*
 * Fills `ids` with the ids of a pinned link. Returns false if there is no such pin or it is no link. Needs the change lock, as it opens
 * the link for a moment: a link that somebody holds stays attached.
 */
bool kernel_link_ids(enum kernel_object link, struct link_ids *ids);

/* ---------------------------------------------------------------------------------------------
 * Loading and removing
 */

/*
 * Loads the programs and maps of this executable, with buffers of `events` events each (a power of two). First removes what an attempt
 * that was cut short has left. Makes the pin directory, but pins nothing. Attaches nothing but superblock_free, which must see every
 * file system go from the moment the first rule is made on it. Prints what is wrong, and the remedy.
 */
enum status kernel_prepare(struct kernel *kernel, uint32_t events);

/*
 * Attaches and pins what kernel_prepare() has loaded, the link of socket_accept last: from then on the policy is enforced, and must be
 * in place. If this fails, nothing is pinned, and nothing stays attached once `kernel` is closed. Prints what is wrong.
 */
enum status kernel_attach(struct kernel *kernel);

/* Detaches and removes everything that is pinned. Prints what is wrong. */
enum status kernel_detach(void);

/*
 * Loads the programs and maps as kernel_prepare() does, and drops them again: attaches and pins nothing. Sets *mib to how much of the
 * kernel's memory the maps take. Prints what is wrong, and the remedy.
 */
enum status kernel_try(uint32_t events, unsigned *mib);

#endif
