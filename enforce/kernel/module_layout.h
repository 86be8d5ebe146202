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
 * Tells `kernel`, if it is open for writing, where btrfs keeps the id of a subvolume's tree: btrfs_inode.root->root_key.objectid.
 * Nothing else tells subvolumes and snapshots apart: they share one superblock, and repeat inode numbers and generations. Returns true if
 * `kernel` didn't know it before, and does now.
 */
bool tell_btrfs_layout(const struct kernel *kernel);

/*
 * Tells `kernel`, if it is open for writing, where SCTP and VSOCK keep connections that wait: sctp_sock.ep and sctp_endpoint.asocs, from
 * which sctp_accept() takes, and vsock_sock.accept_queue, from which vsock_dequeue_accept() takes. Does so for each module that is loaded
 * and that `kernel` doesn't know yet. Costs a few system calls if there is nothing to tell.
 */
void tell_queue_layouts(const struct kernel *kernel);

#endif
