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
#include "answer.bpf.h"
#include "drain.bpf.h"
#include "listing.bpf.h"
#include "pass_on.bpf.h"
#include "settle.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

/* Of what isn't known of the ends, nothing of an earlier call may be left. */
static __always_inline void clear_ends(struct event *event)
{
	__builtin_memset(event->peer.address, 0, sizeof(event->peer.address));
	__builtin_memset(event->local.address, 0, sizeof(event->local.address));
	event->peer.port = 0;
}

/* Counts a denial, and describes it. Apart from recording it, which would find no room on the stack above this. */
static __attribute__((noinline)) bool describe_refusal(struct state *state, struct call *call, const struct caller *caller,
						      const struct listener *listener)
{
	struct event *event = &call->event;
	struct queue queue = { 0 };

	read_queue(caller->control, listener, &queue);
	event->operation = OPERATION_ATTEMPT;
	if (queue.waiting) {
		event->operation = OPERATION_ACCEPT;
		count_connection(state, call);
	}
	describe_caller(event, caller);
	describe_listener(call, listener, &queue);
	describe_thread(call, caller->task);
	clear_ends(event);
	if (waiting_ends(caller->control, listener, &queue, event->family, &event->local, &event->peer))
		event->flags |= EVENT_HAS_PEER;
	return true;
}

/* A call that goes on: what becomes of it is connection_graft()'s and accept_end()'s. */
static __attribute__((noinline)) bool follow_call(struct call *call, struct socket *newsock, const struct caller *caller,
						 const struct listener *listener)
{
	struct event *event = &call->event;
	struct queue queue = { 0 };

	read_queue(NULL, listener, &queue);
	event->operation = OPERATION_ACCEPT;
	describe_caller(event, caller);
	describe_path(call, caller);
	describe_listener(call, listener, &queue);
	call->newsock = (__u64)newsock;
	if (event->verdict == VERDICT_DENY) { /* in permissive mode: it may become an attempt, of which no more is known */
		clear_ends(event);
		bound_address(listener->sk, listener->family, &event->local);
		call->user = current_user();
	}
	return true;
}

enum decision {
	DECISION_PASSES,
	DECISION_DENIED, /* which is enforced or not, as the mode says */
	DECISION_REFUSED, /* whatever the mode: it was to take out what may not be taken out */
};

/* Decides what `caller` asks by `call`, and records it or follows it. */
static __always_inline enum decision decide_call(struct state *state, struct call *call, struct socket *newsock, struct caller *caller,
						 const struct listener *listener)
{
	bool deny, drains;

	drains = may_drain(caller) && is_drain(caller, listener);
	if (*(volatile __u64 *)&state->other_calls)
		CALL(settle_other(state, caller->task, call));
	describe_task(&call->event);
	answer_caller(call, caller, listener);
	if (drains) {
		if (take_out(state, call, caller, listener)) {
			call->newsock = (__u64)newsock;
			return DECISION_PASSES;
		}
		end_call(state, caller->task, call);
		return DECISION_REFUSED;
	}
	count_decision(state, call);
	deny = call->event.verdict == VERDICT_DENY;
	if (deny && caller->policy->mode == MODE_ENFORCE) {
		CALL(describe_refusal(state, call, caller, listener));
		if (caller->policy->flags & (POLICY_GATES | POLICY_DRAINS))
			CALL(note_denied(state, call, caller, listener));
		record_denial(state, call, caller);
		end_call(state, caller->task, call);
	} else {
		CALL(follow_call(call, newsock, caller, listener));
		if (!deny && !is_noted(state, call, listener->sk) && caller->policy->flags & (POLICY_GATES | POLICY_DRAINS) && !throws_away(caller->task))
			CALL(note_allowed(state, call, listener));
	}
	return deny ? DECISION_DENIED : DECISION_PASSES;
}

/* `doctor` proves by it that this program is called, and that the caller gets what it returns. */
static __always_inline int refuse(int error)
{
	int ret = -error;

	FORGET(ret); /* a constant in a branch, not the result of arithmetic that a verifier can't follow */
	return ret;
}

static __always_inline bool is_self_test(const struct control *control, struct sock *sk)
{
	__u64 cookie = *(volatile __u64 *)&control->self_test & ~SELF_TEST_DECIDE;

	return cookie && cookie == (__u64)sk->__sk_common.skc_cookie.counter;
}

/*
 * Decides about a call that isn't followed, and returns true if it is refused: with no place for it, for want of memory, what becomes of it is
 * lost; the `self_test` is refused by itself, or by the policy, if that was asked for.
 */
static __attribute__((noinline)) bool refuses_unfollowed(struct state *state, const struct caller *caller, const struct listener *listener,
							bool self_test)
{
	volatile __u64 *word = &caller->control->self_test;
	const struct rule_record *rule;
	__u32 verdict;

	if (self_test && !(*word & SELF_TEST_DECIDE))
		return true;
	rule = rule_for(caller, listener, passing_time(caller->policy));
	verdict = rule ? rule->label.verdict : caller->policy->verdict;
	if (self_test) {
		*word = SELF_TEST_DECIDED | verdict;
	} else {
		__sync_fetch_and_add(&state->decisions[verdict & (VERDICTS - 1)].decisions, 1);
		__sync_fetch_and_add(&state->buffer[verdict & (VERDICTS - 1)].lost, 1);
	}
	return verdict == VERDICT_DENY && caller->policy->mode == MODE_ENFORCE;
}

SEC("lsm/socket_accept")
int BPF_PROG(socket_accept, struct socket *sock, struct socket *newsock, int ret)
{
	struct listener listener = { 0 };
	struct caller caller = { 0 };
	struct sock *sk = sock->sk;
	struct state *counters;
	enum decision decision;
	struct call *call;
	__u16 family = 0;
	__u32 zero = 0;
	bool self_test;

	counters = bpf_map_lookup_elem(&state, &zero);
	if (!counters)
		return pass_on(ret);
	if (ret) {
		__sync_fetch_and_add(&counters->refused_earlier, 1);
		CALL(settle_leftover(counters, bpf_get_current_task_btf()));
		return pass_on(ret);
	}
	if (sk)
		family = sk->__sk_common.skc_family;
	if (!sk || !is_mediated(family)) {
		__sync_fetch_and_add(&counters->unmediated, 1);
		CALL(settle_leftover(counters, bpf_get_current_task_btf()));
		return 0;
	}
	read_listener(&listener, sk, family);
	if (!read_caller(listener.port, &caller))
		return 0;
	self_test = is_self_test(caller.control, sk);
	call = self_test ? 0 : start_call(counters, caller.task);
	if (!call)
		return refuses_unfollowed(counters, &caller, &listener, self_test) ? refuse(EPERM) : 0;
	decision = decide_call(counters, call, newsock, &caller, &listener);
	if (decision == DECISION_REFUSED)
		return refuse(EPERM);
	if (caller.policy->mode != MODE_ENFORCE)
		return 0;
	if (decision == DECISION_DENIED)
		return refuse(EPERM);
	return is_idle(sock, &listener) ? refuse(EINVAL) : 0;
}

/*
 * Passed by accepts of the kernel's own too, which nobody has decided about: their `socket` is no call's. Runs with
 * the sock locked, in the thread that accepts.
 */
SEC("lsm/sock_graft")
int BPF_PROG(connection_graft, struct sock *sk, struct socket *socket)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct state *counters;
	struct event *event;
	struct call *call;
	__u32 zero = 0;

	counters = bpf_map_lookup_elem(&state, &zero);
	if (!counters)
		return 0;
	call = call_of(counters, task);
	if (!call || call->newsock != (__u64)socket)
		return 0;
	event = &call->event;
	if (connection_ends(sk, event->family, &event->local, &event->peer))
		event->flags |= EVENT_HAS_PEER;
	/* One that its client has reset already has given its port up (Linux, tcp_set_state()): it was the listener's. */
	if (!event->local.port)
		event->local.port = event->listener_port;
	if (event->operation != OPERATION_DRAINED)
		describe_thread(call, task);
	call->sweep = counters->sweeps;
	__sync_lock_test_and_set(&call->grafted, (__u64)sk);
	return 0;
}

/* Permissive mode lets an attempt pass that it denies: an accept(2) that has taken nothing. */
static __attribute__((noinline)) bool record_attempt(struct state *state, struct call *call, struct task_struct *task)
{
	call->event.operation = OPERATION_ATTEMPT;
	describe_thread(call, task);
	return record_denial(state, call, 0);
}

/* The kernel's own accepts (kernel_accept()) don't come here. */
SEC("fexit/do_accept")
int BPF_PROG(accept_end, struct file *listener, void *argument, void *address, void *length, int flags,
	     struct file *accepted)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 result = 0;
	struct state *counters;
	struct call *call;
	__u32 zero = 0;

	counters = bpf_map_lookup_elem(&state, &zero);
	if (!counters)
		return 0;
	call = call_of(counters, task);
	if (!call)
		return 0;
	bpf_get_func_ret(ctx, &result);
	if (take_grafted(call)) {
		if (result < (__u64)-MAX_ERRNO || call->event.operation == OPERATION_DRAINED)
			record_connection(counters, call);
		else /* it couldn't tell who the connection is from (EFAULT) */
			__sync_fetch_and_add(&counters->failed, 1);
	} else if (call->event.verdict == VERDICT_DENY && call->event.operation != OPERATION_DRAINED && result >= (__u64)-MAX_ERRNO) {
		CALL(record_attempt(counters, call, task));
	}
	end_call(counters, task, call);
	return 0;
}

/*
 * Describes a call that is refused, and isn't an accept(2). `what`: enum reason, and from bit 8 on enum operation. `listener`: that of a
 * listen(2) or bind(2); NULL: what is about a listener is 0.
 */
static __attribute__((noinline)) bool describe_offence(struct call *call, const struct caller *caller, __u32 what,
						      const struct listener *listener)
{
	struct queue queue = { 0 };
	struct event *event = &call->event;

	describe_task(event);
	describe_caller(event, caller);
	describe_thread(call, caller->task);
	/* What isn't the answer to an accept(2) is never taken for one. */
	call->passing = 1;
	call->class = CLASS_NONE;
	call->port = 0;
	event->generation = caller->policy->generation;
	event->binary = caller->binary;
	event->uid = caller->uid;
	event->verdict = VERDICT_DENY;
	event->reason = what;
	event->operation = what >> 8;
	event->family = event->protocol = 0;
	event->netns = event->backlog = event->backlog_max = event->listener_port = 0;
	__builtin_memset(&event->local, 0, sizeof(event->local));
	__builtin_memset(&event->peer, 0, sizeof(event->peer));
	if (listener) {
		call->class = listener->class;
		call->port = listener->port;
		describe_listener(call, listener, &queue);
		bound_address(listener->sk, event->family, &event->local);
	} else {
		event->sockfd = -1;
	}
	return true;
}

/* Records one. */
static __always_inline void record_offence(struct state *state, const struct caller *caller, __u32 what, const struct listener *listener)
{
	struct call *call = start_call(state, caller->task);

	if (!call)
		return;
	CALL(describe_offence(call, caller, what, listener));
	record_denial(state, call, caller);
	end_call(state, caller->task, call);
}

/*
 * Process 1 of the machine listens for others, to whom it hands its sockets over. systemd does so in a child that executes nothing: its
 * executable is the same open file then, which it can't be after an execve(2) (Linux, kernel/fork.c: dup_mm_exe_file()).
 */
static __always_inline bool is_first_process(const struct caller *caller)
{
	struct task_struct *parent;

	if (caller->task->tgid == 1)
		return true;
	parent = caller->task->real_parent;
	return parent && parent->tgid == 1 && executable_of(parent) == executable_of(caller->task);
}

/* Counts a listen(2) that is denied, and describes why. */
static __always_inline void object_to_listen(struct event *event, const struct policy_header *header, const struct rule_record *rule)
{
	struct rule_counter *counter;
	__u32 zero = 0, number = NO_COUNTER;
	struct state *counters = bpf_map_lookup_elem(&state, &zero);

	event->generation = header->generation;
	event->reason = REASON_DEFAULT;
	event->flags = header->mode == MODE_ENFORCE ? EVENT_ENFORCED : 0;
	if (rule) {
		event->reason = REASON_RULE;
		event->rule = rule->label;
		number = rule->counter;
	}
	if (counters)
		__sync_fetch_and_add(&counters->listens, 1);
	counter = bpf_map_lookup_elem(&rule_counters, &number);
	if (counter)
		count_hit(counter);
}

/*
 * Whether the policy in force lets a binary listen there under some condition: whoever it may run as when it accepts. If not, returns 1,
 * and says in `event` under which policy and why. Takes the policy by itself, as no pointer into one can be given to a function that is
 * verified alone.
 */
VERIFIED_ALONE int judge_listen(struct event *event, __u32 binary, __u32 class, __u32 port)
{
	struct request request = { .binary = binary & BINARY_UNNAMED ? BINARY_ANY : binary, .protocol = class, .port = port };
	const struct policy_header *header;
	const struct rule_record *rule;
	struct control *there;
	policy_ref image;
	__u32 zero = 0;

	there = bpf_map_lookup_elem(&control, &zero);
	if (!event || !there)
		return 0;
	image = image_in_force(there, &header);
	if (!image)
		return 0;
	request.now = passing_time(header);
	if (!(header->flags & POLICY_JUDGES_LISTEN) || !denies_everyone(image, header, &request, &rule))
		return 0;
	object_to_listen(event, header, rule);
	return 1;
}

/* True if a listen(2) is to be refused: because its socket was `moved`, whatever the rules say, or by the policy. */
static __always_inline bool refuses_listen(struct state *state, const struct caller *caller, const struct listener *listener, __u32 moved)
{
	bool enforced = moved && caller->policy->mode == MODE_ENFORCE;
	struct call *call = start_call(state, caller->task);
	__u32 denied = moved;

	if (!call) /* no memory: accept(2) will be asked */
		return enforced;
	CALL(describe_offence(call, caller, REASON_MOVED | OPERATION_LISTEN << 8, listener));
	/* Without a port, the kernel chooses one after this: accept(2) is asked about that. */
	if (!moved && listener->port && !is_first_process(caller))
		denied = judge_listen(&call->event, caller->binary, listener->class, listener->port);
	if (denied) {
		enforced = call->event.flags & EVENT_ENFORCED;
		record_denial(state, call, caller);
	}
	end_call(state, caller->task, call);
	return enforced;
}

SEC("lsm/socket_listen")
int BPF_PROG(socket_listen, struct socket *sock, int backlog, int ret)
{
	struct listener listener = { 0 };
	struct caller caller = { 0 };
	struct sock *sk = sock->sk;
	struct state *counters;
	__u32 zero = 0, moved = 0;
	bool begins;
	__u16 family;

	if (ret)
		return pass_on(ret);
	counters = bpf_map_lookup_elem(&state, &zero);
	if (!counters || !sk)
		return 0;
	family = sk->__sk_common.skc_family;
	if (!is_mediated(family))
		return 0;
	read_listener(&listener, sk, family);
	/* That of the socket itself isn't given up together with the one below it. */
	if (listener.protocol == IPPROTO_MPTCP)
		listener.port = mptcp_port(sk);
	if (!read_caller(backlog, &caller) || is_self_test(caller.control, sk))
		return 0;
	begins = has_ports(family) && !is_listening(family, listener.state);
	if (begins && is_moved(sk, listener.port, listener.class)) {
		__sync_fetch_and_add(&counters->moves, 1);
		moved = 1;
	}
	BLUR(moved, backlog);
	if (refuses_listen(counters, &caller, &listener, moved))
		return refuse(EPERM);
	if (!begins || note_listening(sk, listener.port, listener.class) || caller.policy->mode != MODE_ENFORCE)
		return 0;
	__sync_fetch_and_add(&counters->moves, 1);
	return refuse(ENOMEM);
}

/* The port that bind(2) is asked for, in the kernel's own copy; 0: any. */
static __always_inline __u32 wanted_port(const struct sockaddr *address)
{
	__u16 port = 0;

	bpf_probe_read_kernel(&port, sizeof(port), (const void *)address + sizeof(__u16)); /* of sockaddr_in and sockaddr_in6 */
	return bpf_ntohs(port);
}

SEC("lsm/socket_bind")
int BPF_PROG(socket_bind, struct socket *sock, struct sockaddr *address, int addrlen, int ret)
{
	struct listener listener = { 0 };
	struct caller caller = { 0 };
	struct sock *sk = sock->sk;
	struct listened *there;
	struct state *counters;
	__u32 zero = 0, port;
	__u16 family;

	if (ret)
		return pass_on(ret);
	if (!sk)
		return 0;
	family = sk->__sk_common.skc_family;
	if (family != AF_INET && family != AF_INET6)
		return 0;
	there = bpf_sk_storage_get(&listened, sk, 0, 0);
	if (!there)
		return 0;
	port = wanted_port(address);
	counters = bpf_map_lookup_elem(&state, &zero);
	if (!counters || (port && port == there->port) || !read_caller(addrlen, &caller))
		return 0;
	/* What permissive mode lets pass here comes to listen(2). */
	if (caller.policy->mode != MODE_ENFORCE)
		return 0;
	__sync_fetch_and_add(&counters->moves, 1);
	read_listener(&listener, sk, family);
	listener.port = port;
	record_offence(counters, &caller, REASON_MOVED | OPERATION_LISTEN << 8, &listener);
	return refuse(EPERM);
}

/* The counters while a gate may be shut; else NULL: nearly all requests need no more. */
static __always_inline struct state *state_with_gates(void)
{
	struct state *counters;
	__u32 zero = 0;

	counters = bpf_map_lookup_elem(&state, &zero);
	return counters && *(volatile __u64 *)&counters->gates ? counters : 0;
}

SEC("lsm/inet_conn_request")
int BPF_PROG(connection_request, struct sock *sk, struct sk_buff *skb, struct request_sock *req, int ret)
{
	struct state *counters = state_with_gates();

	if (ret)
		return pass_on(ret);
	return counters && refuses_request(counters, sk, req) ? refuse(EPERM) : 0;
}

SEC("lsm/sctp_assoc_request")
int BPF_PROG(association_request, struct sctp_association *asoc, struct sk_buff *skb, int ret)
{
	struct state *counters = state_with_gates();

	if (ret)
		return pass_on(ret);
	return counters && refuses_association(counters, (__u64)asoc) ? refuse(EPERM) : 0;
}

SEC("lsm/bprm_committed_creds")
int BPF_PROG(process_exec, struct linux_binprm *bprm)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct file *exe = executable_of(task);
	struct control *there;
	__u32 zero = 0;

	there = bpf_map_lookup_elem(&control, &zero);
	if (there && exe)
		settle_process(task, exe, there);
	return 0;
}

SEC("lsm/task_alloc")
int BPF_PROG(process_fork, struct task_struct *task, unsigned long clone_flags, int ret)
{
	struct task_struct *leader;
	struct control *there;
	__u32 zero = 0;

	if (ret)
		return pass_on(ret);
	if (clone_flags & CLONE_THREAD)
		return 0;
	there = bpf_map_lookup_elem(&control, &zero);
	if (!there || !*(volatile __u64 *)&there->processes)
		return 0;
	leader = bpf_get_current_task_btf()->group_leader;
	if (leader)
		inherit_process(task, leader, there);
	return 0;
}

/* What prctl() would change the executable to doesn't matter: looking at its arguments could be raced. */
SEC("lsm/task_prctl")
int BPF_PROG(task_prctl, int option, unsigned long arg2, unsigned long arg3, unsigned long arg4, unsigned long arg5,
	     int ret)
{
	struct caller caller = { 0 };
	struct state *counters;
	int what = (int)arg2; /* as prctl_set_mm() takes it: the upper half counts for nothing */
	__u32 zero = 0;

	if (option != PR_SET_MM || (what != PR_SET_MM_MAP && what != PR_SET_MM_EXE_FILE))
		return 0; /* the kernel goes on as if nobody was asked */
	if (bpf_get_current_task_btf()->cred->user_ns->level == 0)
		return 0; /* checkpoint/restore by an administrator of the machine */
	counters = bpf_map_lookup_elem(&state, &zero);
	if (!counters || !read_caller(arg3, &caller))
		return 0;
	__sync_fetch_and_add(&counters->forgeries, 1);
	record_offence(counters, &caller,
		       REASON_PRCTL | (what == PR_SET_MM_MAP ? OPERATION_SET_MM_MAP : OPERATION_SET_MM_EXE_FILE) << 8, NULL);
	if (caller.policy->mode != MODE_ENFORCE)
		return 0;
	return refuse(EPERM);
}

SEC("lsm/sb_free_security")
int BPF_PROG(superblock_free, struct super_block *sb)
{
	__u64 address = (__u64)sb;

	bpf_map_delete_elem(&superblocks, &address);
	return 0;
}

/* The number of a superblock, given now if it has none. 0: there is no room. */
static __always_inline __u32 number_superblock(struct super_block *sb, struct control *control)
{
	struct superblock *there, fresh = { .root = (__u64)sb->s_root };
	__u64 address = (__u64)sb;

	there = bpf_map_lookup_elem(&superblocks, &address);
	if (there && there->root == fresh.root)
		return there->number;
	if (there) /* that of another one, which went while the hook was off */
		bpf_map_delete_elem(&superblocks, &address);
	fresh.number = (__u32)__sync_fetch_and_add(&control->next_superblock, 1) + 1;
	/* Of two who come at once, the first one counts. */
	bpf_map_update_elem(&superblocks, &address, &fresh, BPF_NOEXIST);
	return superblock_number(sb);
}

static __always_inline void write_name(struct bpf_iter__task_file *ctx, struct file_identity *identity,
				       struct dentry *dentry)
{
	__builtin_memset(identity->name, 0, sizeof(identity->name));
	bpf_probe_read_kernel_str(identity->name, sizeof(identity->name), dentry->d_name.name);
	bpf_seq_write(ctx->meta->seq, identity, sizeof(*identity));
}

/* The names from `dentry` up to the file system's root, a record each. */
static __always_inline void write_steps(struct bpf_iter__task_file *ctx, struct file_identity *identity,
					struct dentry *dentry)
{
	struct dentry *root = dentry->d_inode->i_sb->s_root;

	identity->flags = FILE_STEP;
	for (int depth = 0; depth < MAX_STEPS; depth++) {
		if (dentry == root || dentry == dentry->d_parent)
			break;
		write_name(ctx, identity, dentry);
		dentry = dentry->d_parent;
	}
	if (dentry != root)
		return; /* no end: too many; or another root than the superblock's, as on NFS */
	identity->flags = FILE_ROOT;
	__builtin_memset(identity->name, 0, sizeof(identity->name));
	bpf_seq_write(ctx->meta->seq, identity, sizeof(*identity));
}

/* Not inlined, as a record takes half of a program's stack, and so does the key of an entry. */
static __attribute__((noinline)) bool describe_file(struct bpf_iter__task_file *ctx, struct file *file, struct control *there, __u32 binary)
{
	struct file_identity identity = { .fd = ctx->fd, .binary = binary };
	struct dentry *dentry = file->f_path.dentry, *directory = dentry;

	if ((file->f_inode->i_mode & S_IFMT) != S_IFDIR)
		directory = dentry->d_parent;
	identity.flags = directory_of(directory, there, &identity.directory);
	if (!(identity.flags & FILE_WORTHLESS)) {
		identity.directory.superblock = number_superblock(directory->d_inode->i_sb, there);
		if (!identity.directory.superblock)
			identity.flags |= FILE_NO_SUPERBLOCK;
	}
	if (dentry == directory)
		identity.flags |= FILE_IS_DIRECTORY;
	if (!dentry->d_hash.pprev)
		identity.flags |= FILE_UNLINKED;
	identity.dentry = (__u64)dentry;
	write_name(ctx, &identity, dentry);
	if (identity.flags & FILE_BY_NAMES)
		write_steps(ctx, &identity, directory);
	return true;
}

SEC("iter/task_file")
int identify_files(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct found found = {};
	struct control *there;
	__u32 zero = 0;

	there = bpf_map_lookup_elem(&control, &zero);
	if (!file || !ctx->task || !there)
		return 0;
	CALL(describe_file(ctx, file, there, find_entry(file->f_path.dentry, there, &found)));
	return 0;
}

SEC("iter/task")
int list_processes(struct bpf_iter__task *ctx)
{
	struct process_identity identity = {};
	struct task_struct *task = ctx->task;
	struct process *process;

	if (!task || task->pid != task->tgid)
		return 0;
	process = bpf_task_storage_get(&processes, task, 0, 0);
	if (!process || !process->known)
		return 0;
	identity.pid = task->tgid;
	identity.binary = process->binary;
	bpf_seq_write(ctx->meta->seq, &identity, sizeof(identity));
	return 0;
}

SEC("syscall")
int drain(struct draining *draining)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct control *there;
	struct state *counters;
	__u32 zero = 0;

	counters = bpf_map_lookup_elem(&state, &zero);
	there = bpf_map_lookup_elem(&control, &zero);
	if (!counters || !there)
		return 0;
	if (draining->promise)
		*(volatile __u64 *)&counters->drained_until = bpf_ktime_get_boot_ns() + draining->promise;
	if (!draining->lasts)
		end_draining(there, task);
	draining->may = draining->lasts && begin_draining(there, task, draining);
	draining->locked = there->locked;
	return 0;
}

SEC("syscall")
int close_windows(struct closing *closing)
{
	struct state *counters;
	__u32 zero = 0;

	counters = bpf_map_lookup_elem(&state, &zero);
	if (!counters)
		return 0;
	closing->left = sweep_calls(counters);
	tidy_folds(counters, closing->age);
	return 0;
}
