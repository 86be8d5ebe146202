/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel side.
 *
 *   lsm/socket_accept   socket_accept: decides about a call of accept(2), and returns -EPERM and records it
 *                       when the policy denies it. Runs in every accept of the machine: it must not
 *                       sleep, and costs the same with one rule as with 100,000.
 *   lsm/sock_graft      connection_graft: notes the connection that the call has taken, with its peer.
 *   fexit/do_accept     accept_end: records that connection, now that the call has returned it, and didn't fail after.
 *   lsm/task_prctl      task_prctl: refuses a prctl(2) by which a process in a user namespace would forge
 *                       what its executable is. Any other prctl() only passes through.
 *   lsm/sb_free_security superblock_free: forgets a file system that is gone, before another can take its place in
 *                       memory. Runs when a file system is unmounted; decides nothing.
 *   iter/task_file      identify_files: tells user space which directory entries it has open. Runs when user space
 *                       makes a rule or asks about one; decides nothing.
 *   iter/task_file      list_listeners (bpf/listing.bpf.h): tells user space who listens.
 */
#include "answer.bpf.h"
#include "listing.bpf.h"
#include "pass_on.bpf.h"
#include "settle.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

/* Records a denial, unless it is a repeat: most are, of a server that spins. */
static __attribute__((noinline)) bool record_refusal(struct state *state, struct call *call, const struct caller *caller,
						    const struct listener *listener)
{
	struct event *event = &call->event;
	struct queue queue = { 0 };
	struct fold *opened;

	read_queue(caller->control, listener->sk, &queue);
	if (!queue.waiting)
		return true;
	count_connection(state, call);
	if (fold_denial(call, (__u64)listener->sk, queue.child ? (__u64)queue.child : queue.untyped_child, &opened))
		return true;
	describe_caller(event, caller);
	describe_listener(call, listener, &queue);
	describe_thread(call, caller->task);
	if (waiting_ends(caller->control, listener, &queue, event->family, &event->local, &event->peer))
		event->flags |= EVENT_HAS_PEER;
	if (opened)
		CALL(start_fold(state, opened, event));
	CALL(record_event(state, call));
	return true;
}

/* A call that goes on: what becomes of it is connection_graft()'s and accept_end()'s. */
static __attribute__((noinline)) bool follow_call(struct call *call, struct socket *newsock, const struct caller *caller,
						 const struct listener *listener)
{
	struct queue queue = { 0 };

	read_queue(NULL, listener->sk, &queue);
	describe_caller(&call->event, caller);
	describe_listener(call, listener, &queue);
	call->newsock = (__u64)newsock;
	return true;
}

/* Decides with no place to follow a call in, for want of memory: what becomes of it is lost. */
static __attribute__((noinline)) bool decide_unfollowed(struct state *state, const struct caller *caller,
						       const struct listener *listener)
{
	const struct rule_record *rule = rule_for(caller, listener, passing_time(caller->policy));
	__u32 verdict = rule ? rule->label.verdict : caller->policy->verdict;

	__sync_fetch_and_add(&state->decisions[verdict & (VERDICTS - 1)].decisions, 1);
	__sync_fetch_and_add(&state->buffer[verdict & (VERDICTS - 1)].lost, 1);
	return verdict == VERDICT_DENY;
}

/* True if the policy denies what `caller` asks, in whichever mode. */
static __always_inline bool decide_call(struct state *state, struct socket *newsock, const struct caller *caller,
					const struct listener *listener)
{
	bool grafted;
	struct call *call = begin_call(state, caller->task, &grafted);
	bool deny;

	if (!call)
		return decide_unfollowed(state, caller, listener);
	if (grafted)
		CALL(settle_call(state, call));
	if (*(volatile __u64 *)&state->other_calls)
		CALL(settle_other(state, caller->task, call));
	describe_task(&call->event);
	answer_caller(call, caller, listener);
	count_decision(state, call);
	deny = call->event.verdict == VERDICT_DENY;
	if (deny && caller->policy->mode == MODE_ENFORCE) {
		CALL(record_refusal(state, call, caller, listener));
		end_call(state, caller->task, call);
	} else {
		CALL(follow_call(call, newsock, caller, listener));
	}
	return deny;
}

/* `doctor` proves by it that this program is called, and that the caller gets what it returns. */
static __always_inline bool is_self_test(const struct control *control, struct sock *sk)
{
	__u64 cookie = *(volatile __u64 *)&control->self_test;

	return cookie && cookie == (__u64)sk->__sk_common.skc_cookie.counter;
}

SEC("lsm/socket_accept")
int BPF_PROG(socket_accept, struct socket *sock, struct socket *newsock, int ret)
{
	struct listener listener = { 0 };
	struct caller caller = { 0 };
	struct sock *sk = sock->sk;
	struct state *counters;
	__u16 family = 0;
	__u32 zero = 0;

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
	if (!sk || !is_mediated(sock, family)) {
		__sync_fetch_and_add(&counters->unmediated, 1);
		CALL(settle_leftover(counters, bpf_get_current_task_btf()));
		return 0;
	}
	read_listener(&listener, sk, family);
	if (!read_caller(listener.port, &caller))
		return 0;
	if (is_self_test(caller.control, sk)) {
		ret = -EPERM;
		FORGET(ret);
		return ret;
	}
	if (!decide_call(counters, newsock, &caller, &listener) || caller.policy->mode != MODE_ENFORCE)
		return 0;
	ret = -EPERM;
	FORGET(ret); /* a constant in a branch, not the result of arithmetic that a verifier can't follow */
	return ret;
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
	describe_thread(call, task);
	call->sweep = counters->sweeps;
	__sync_lock_test_and_set(&call->grafted, (__u64)sk);
	arm_sweeper(counters);
	return 0;
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
	if (take_grafted(call)) {
		bpf_get_func_ret(ctx, &result);
		if (result < (__u64)-MAX_ERRNO)
			record_connection(counters, call);
		else /* it couldn't tell who the connection is from (EFAULT) */
			__sync_fetch_and_add(&counters->failed, 1);
	}
	end_call(counters, task, call);
	return 0;
}

/* What is about a listener is 0. */
static __always_inline void describe_forgery(struct call *call, const struct caller *caller, int what)
{
	struct event *event = &call->event;

	describe_task(event);
	describe_caller(event, caller);
	describe_thread(call, caller->task);
	call->class = CLASS_NONE;
	event->generation = caller->policy->generation;
	event->binary = caller->binary;
	event->uid = caller->uid;
	event->verdict = VERDICT_DENY;
	event->reason = REASON_PRCTL;
	event->operation = what == PR_SET_MM_MAP ? OPERATION_SET_MM_MAP : OPERATION_SET_MM_EXE_FILE;
	event->sockfd = -1;
	event->family = event->protocol = 0;
	event->netns = event->backlog = event->backlog_max = 0;
	__builtin_memset(&event->local, 0, sizeof(event->local));
	__builtin_memset(&event->peer, 0, sizeof(event->peer));
}

/* Records a refused prctl(). False: its event is lost. */
static __attribute__((noinline)) bool record_forgery(struct state *state, struct call *call, const struct caller *caller,
						    int what)
{
	struct fold *opened;

	describe_forgery(call, caller, what);
	if (fold_denial(call, 0, 0, &opened))
		return true;
	if (opened)
		CALL(start_fold(state, opened, &call->event));
	return record_event(state, call);
}

/* What prctl() would change the executable to doesn't matter: looking at its arguments could be raced. */
SEC("lsm/task_prctl")
int BPF_PROG(task_prctl, int option, unsigned long arg2, unsigned long arg3, unsigned long arg4, unsigned long arg5,
	     int ret)
{
	struct caller caller = { 0 };
	struct state *counters;
	int what = (int)arg2; /* as prctl_set_mm() takes it: the upper half counts for nothing */
	struct call *call;
	bool grafted;
	__u32 zero = 0;

	if (option != PR_SET_MM || (what != PR_SET_MM_MAP && what != PR_SET_MM_EXE_FILE))
		return 0; /* the kernel goes on as if nobody was asked */
	if (bpf_get_current_task_btf()->cred->user_ns->level == 0)
		return 0; /* checkpoint/restore by an administrator of the machine */
	counters = bpf_map_lookup_elem(&state, &zero);
	if (!counters || !read_caller(arg3, &caller))
		return 0;
	__sync_fetch_and_add(&counters->forgeries, 1);
	call = begin_call(counters, caller.task, &grafted);
	if (call) {
		if (grafted)
			CALL(settle_call(counters, call));
		CALL(record_forgery(counters, call, &caller, what));
		end_call(counters, caller.task, call);
	}
	if (caller.policy->mode != MODE_ENFORCE)
		return 0;
	ret = -EPERM;
	FORGET(ret);
	return ret;
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

SEC("iter/task_file")
int identify_files(struct bpf_iter__task_file *ctx)
{
	struct file_identity identity = {};
	struct dentry *dentry, *directory;
	struct file *file = ctx->file;
	struct control *there;
	__u32 zero = 0;

	there = bpf_map_lookup_elem(&control, &zero);
	if (!file || !ctx->task || !there)
		return 0;
	dentry = directory = file->f_path.dentry;
	if ((file->f_inode->i_mode & S_IFMT) != S_IFDIR)
		directory = dentry->d_parent;
	identity.fd = ctx->fd;
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
	write_name(ctx, &identity, dentry);
	if (identity.flags & FILE_BY_NAMES)
		write_steps(ctx, &identity, directory);
	return 0;
}
