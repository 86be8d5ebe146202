/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel side and user space share: every map's key and value, the policy image, the event.
 *
 * Included by BPF programs (clang -target bpf), by user space and by unit tests. Fixed-width types
 * only, no implicit padding; the assertions make both compilers agree.
 *
 * The maps, as pinned under SOCKACCEPT_PIN_DIR:
 *
 *   name              key                    value                 who writes
 *   policy            u32 slot               the policy image      user space, by replacing it whole
 *   superblocks       u64 address            struct superblock     identify_files; sb_free_security removes
 *   entries           struct entry_key       u32 binary, or step   user space
 *   executables       inode (storage)        struct executable     the hook
 *   processes         task (storage)         struct process        the hook; user space for who takes over
 *   listened          sock (storage)         struct listened       the hook, and list_listeners
 *   gates             sock (storage)         struct gate           the hook   (bpf/gate.bpf.h; not pinned,
 *   drainers          task (storage)         struct drainer        `drain`     nor is this: bpf/drain.bpf.h)
 *   drain_calls       (ring buffer)          u64 0                 the hook, and refused requests
 *   binary_paths      struct path_key        struct path_chunk     user space
 *   seen_paths        u32 binary             struct kept_path      the hook
 *   units             u64 cgroup             struct unit           the hook
 *   calls             u32 place              struct call           the hook   (bpf/call.bpf.h; not pinned,
 *   other_calls       task (storage)         struct call           the hook    nor is this)
 *   folds             struct fold_key        struct fold           the hook, and close_windows (bpf/fold.bpf.h)
 *   shares            u32 user               struct share          the same
 *   control           u32 0                  struct control        user space, and the hook
 *   state             u32 0                  struct state          the hook; a few words by user space
 *   rule_counters     u32 rule_record.counter  struct rule_counter the hook
 *   ports             u32 group              struct port_group     the hook; places are reserved by user space
 *   other_ports       u32 binary             struct binary_counter the hook
 *   events            u32 slot               struct event          the hook
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

/* Changes with any change of these headers that an older or newer program would misread. */
#define SOCKACCEPT_LAYOUT 13

#define SOCKACCEPT_PIN_DIR "/sys/fs/bpf/sockaccept"

#endif
