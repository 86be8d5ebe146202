/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel side.
 *
 *   lsm/socket_accept   socket_accept: decides about a call of accept(2), and returns -EPERM and records it
 *                       when the policy denies it. Runs in every accept of the machine: it must not
 *                       sleep, and costs the same with one rule as with 100,000.
 *   lsm/sock_graft      connection_graft: notes the connection that the call has taken, with its peer.
 *   fexit/do_accept     accept_end: records that connection, now that the call has returned it, and didn't fail after.
 *   lsm/socket_listen   socket_listen: refuses a listen(2) of a binary that could accept there under no condition; and one by which a
 *                       socket would listen on another port than it did, under threads that were asked about that one.
 *   lsm/socket_bind     socket_bind: the same of a bind(2) of a socket that has listened.
 *   lsm/inet_conn_request   connection_request: refuses requests for new connections of a listener on which accept(2) was denied
 *                       (bpf/gate.bpf.h). Runs for each SYN, in a softirq: attached only while the policy wants it.
 *   lsm/sctp_assoc_request   association_request: the same for SCTP.
 *   lsm/bprm_committed_creds   process_exec: settles what a process is, by the name by which it is executed.
 *   lsm/task_alloc      process_fork: a child is what its parent is. Must never make fork(2) fail.
 *   lsm/task_prctl      task_prctl: refuses a prctl(2) by which a process in a user namespace would forge
 *                       what its executable is. Any other prctl() only passes through.
 *   lsm/sb_free_security superblock_free: forgets a file system that is gone, before another can take its place in
 *                       memory. Runs when a file system is unmounted; decides nothing.
 *   iter/task_file      identify_files: tells user space which directory entries it has open. Runs when user space
 *                       makes a rule or asks about one; decides nothing.
 *   iter/task           list_processes: tells user space which processes have a record of what they are.
 *   iter/task_file      list_listeners (bpf/listing.bpf.h): tells user space who listens.
 *   syscall             drain: lets its caller take out what waits on denied listeners (bpf/drain.bpf.h).
 *   syscall             close_windows: makes the events of repeats that nobody else has made. Runs when somebody reads events.
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
