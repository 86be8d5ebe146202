/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between the kernel side and user space: every map, with its key and value, and every record that crosses.
 *
 * BPF programs (clang -target bpf), user space and unit tests all compile these headers. So they use fixed-width types only and
 * no implicit padding, and assert each size: both compilers then agree on every layout.
 *
 *   terms.h      binaries as numbers, verdicts, modes, protocols
 *   image.h      the policy image: a whole policy as decisions read it
 *   identity.h   superblocks, directories, entries; what executables and processes are; paths
 *   event.h      events, their buffers, windows of repeats, shares of users
 *   counter.h    counters by rule, and by binary and port
 *   control.h    what else decisions depend on, and the state that may be read
 *   listener.h   listening sockets, gates, draining
 *   guard.h      what a locked policy guards
 *
 * Times are nanoseconds (ns) of CLOCK_BOOTTIME unless the comment names another clock. "An address" is a kernel pointer as a number:
 * good for comparison only. "(task)", "(inode)" and "(sock)" as a key mean storage that the kernel keeps with that object and frees
 * with it.
 *
 * Maps that are pinned under SOCKACCEPT_PIN_DIR, by these names:
 *
 *   name           key                      value                  for what; who writes
 *   policy         u32 slot: SLOT_*         map of the image       the policies loaded last and before; user space, by one 8-byte store
 *     its images   u32 page number          struct policy_page     a whole policy; user space, which freezes it before it is in force
 *   control        u32 0                    struct control         what decisions depend on beside the policy; user space and hooks
 *   state          u32 0                    struct state           totals and numbers for who reads; hooks, a few words by user space
 *   entries        struct entry_key         u32 binary, or step    directory entries that rules name; user space
 *   superblocks    u64 address              struct superblock      numbers of file systems; identify_files adds, superblock_free removes
 *   binary_paths   struct path_key          struct path_chunk      paths of named binaries, for display; user space
 *   seen_paths     u32 binary               struct kept_path       paths of unnamed binaries, for events; hooks
 *   executables    (inode)                  struct executable      what the processes of a file are; hooks
 *   processes      (task)                   struct process         what one process is, where it differs; hooks, user space at an upgrade
 *   listened       (sock)                   struct listened        where a socket listened first; hooks and list_listeners
 *   drain_calls    ring buffer              u64 0                  asks the drain service to look at the listeners; hooks
 *   units          u64 cgroup id            struct unit            names of system units, for events; hooks
 *   folds          struct fold_key          struct fold            series of repeated denials (bpf/window.bpf.h); hooks, close_windows
 *   shares         u32 user                 struct share           what each user has used of the events and folds; as `folds`
 *   rule_counters  u32 rule_record.counter  struct rule_counter    hits of each rule; hooks
 *   ports          u32 group                struct port_group      counters by binary, port, verdict; hooks, user space reserves places
 *   other_ports    u32 binary               struct binary_counter  the same for what finds no place in `ports`; hooks
 *   events         u32 slot                 struct event           both event buffers; hooks
 *
 * Maps that only the kernel side uses, and that are not pinned:
 *
 *   calls              u32 place            struct call            calls of accept(2) that are under way (bpf/call.bpf.h)
 *   other_calls        (task)               struct call            the same, for a thread whose place in `calls` is taken
 *   gates              (sock)               struct gate            gates of listeners (bpf/gate.bpf.h)
 *   indirect_gates     u64 socket cookie    struct gate            the same, for SCTP and MPTCP
 *   request_scratches  u32 0 (per CPU)      struct request_scratch where a refused request is described (bpf/request.bpf.h)
 *   drainers           (task)               struct drainer         the task that may take out connections (bpf/drain.bpf.h)
 *
 * Maps of the guard, which `lock` loads and which nobody can reach after that:
 *
 *   guarded        struct guarded_key       u32 enum guarded_level what the guard protects; user space, which then freezes it
 *   refusals       u32 0                    struct refusals        how often the guard refused; the guard
 */
#ifndef SOCKACCEPT_H
#define SOCKACCEPT_H

#include "control.h"
#include "counter.h"
#include "event.h"
#include "guard.h"
#include "identity.h"
#include "image.h"
#include "listener.h"
#include "terms.h"

/* The version of this contract. Count it up with every change that an older or a newer program would misread. */
#define SOCKACCEPT_LAYOUT 13

#define SOCKACCEPT_PIN_DIR "/sys/fs/bpf/sockaccept"

#endif
