/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where modules keep what the kernel side reads: the subvolume of a file on btrfs, and who waits for SCTP and VSOCK
 * listeners. A module may come after our programs are loaded, so CO-RE can't find its fields for them: they are looked
 * up in the type information of the running kernel (/sys/kernel/btf).
 */
#ifndef SOCKACCEPT_MODULE_LAYOUT_H
#define SOCKACCEPT_MODULE_LAYOUT_H

#include "enforce/kernel/kernel.h"

/*
 * All subvolumes and snapshots of a btrfs share one superblock and repeat inode numbers and generations; what differs
 * is the id of the subvolume's tree, btrfs_inode.root->root_key.objectid. Tells `kernel`, if it is open for writing.
 * Returns true if it wasn't known before, and is now.
 */
bool tell_btrfs_layout(const struct kernel *kernel);

/*
 * Tells `kernel`, if it is open for writing, where SCTP (sctp_sock.ep, sctp_endpoint.asocs: what sctp_accept() takes) and
 * VSOCK (vsock_sock.accept_queue: what vsock_dequeue_accept() takes) keep who waits, for each of them that is loaded and
 * that it doesn't know yet. Costs a few system calls when there is nothing to tell.
 */
void tell_queue_layouts(const struct kernel *kernel);

#endif
