/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel side: all hooks and programs of the firewall. Each file named here has one subject, and opens with its hooks: what each is
 * for, and what it must never do.
 *
 *   accept.bpf.h     lsm/socket_accept          socket_accept        decides about a call of accept(2)
 *                    lsm/sock_graft             connection_graft     notes the connection that the call takes
 *                    fexit/do_accept            accept_end           records that connection
 *   listen.bpf.h     lsm/socket_listen          socket_listen        refuses a listen(2) where no accept(2) could be allowed, or that moves
 *                    lsm/socket_bind            socket_bind          refuses a bind(2) that moves a listener
 *   request.bpf.h    lsm/inet_conn_request      connection_request   refuses new connections of a denied listener
 *                    lsm/sctp_assoc_request     association_request  the same for SCTP
 *   execute.bpf.h    lsm/bprm_committed_creds   process_exec         settles what a process is
 *                    lsm/task_alloc             process_fork         makes a child what its parent is
 *   prctl.bpf.h      lsm/task_prctl             task_prctl           refuses a prctl(2) that would forge what a process is
 *   identify.bpf.h   lsm/sb_free_security       superblock_free      forgets a file system that is gone
 *                    iter/task_file             identify_files       tells user space which directory entries its open files are
 *   listing.bpf.h    iter/task_file             list_listeners       tells user space who listens
 *                    iter/task                  list_processes       tells user space which processes have a record
 *   drain.bpf.h      syscall                    drain                lets its caller take out what waits on denied listeners
 *   close.bpf.h      syscall                    close_windows        makes the events that are due when somebody reads
 *
 * The path of a call of accept(2): listener.bpf.h and caller.bpf.h read what is asked, answer.bpf.h decides it (shared/decision.h),
 * call.bpf.h keeps it until the call ends, record.bpf.h makes an event of it, or a repeat (fold.bpf.h, window.bpf.h).
 */
#include "accept.bpf.h"
#include "close.bpf.h"
#include "drain.bpf.h"
#include "execute.bpf.h"
#include "identify.bpf.h"
#include "listen.bpf.h"
#include "listing.bpf.h"
#include "prctl.bpf.h"
#include "request.bpf.h"

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";
