/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel side.
 *
 *   lsm/socket_accept   socket_accept: decides about a call of accept(2), and returns -EPERM and records it
 *                       when the policy denies it. Runs in every accept of the machine: it must not
 *                       sleep, and costs the same with one rule as with 100,000.
 *   fexit/do_accept     accept_end: records the connection that the call returned, if it did.
 *   lsm/task_prctl      task_prctl: refuses a prctl(2) by which a process in a user namespace would forge
 *                       what its executable is. Any other prctl() only passes through.
 *   lsm/sb_free_security superblock_free: forgets a file system that is gone, before another can take its place in
 *                       memory. Runs when a file system is unmounted; decides nothing.
 *   iter/task_file      identify_files: tells user space which directory entries it has open. Runs when user space
 *                       makes a rule or asks about one; decides nothing.
 */
#include "answer.bpf.h"
#include "record.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

/*
 * What an earlier LSM returned, unchanged, in a form in which verifiers from 6.12 on see that it is 0 or an
 * error number. Each FORGET() keeps the compiler from testing a copy, from which they would learn nothing.
 */
static __always_inline int pass_on(long ret)
{
	FORGET(ret);
	if (ret < -4095)
		return -EPERM;
	FORGET(ret);
	if (ret > 0)
		return -EPERM;
	FORGET(ret);
	return ret;
}

/* Records a denial, unless it is a repeat: most are, of a server that spins. */
static __attribute__((noinline)) bool record_refusal(struct state *state, struct call *call, const struct caller *caller,
						    const struct listener *listener)
{
	struct queue queue = { 0 };
	struct fold *opened;

	read_queue(listener->sk, true, &queue);
	if (!queue.waiting)
		return true;
	count_connection(state, &call->answer);
	if (fold_denial(call, (__u64)listener->sk, queue.child ? (__u64)queue.child : queue.mptcp_child, &opened))
		return true;
	keep_caller(call, caller);
	keep_listener(call, listener, &queue);
	CALL(record_waiting(state, call, listener, &queue, opened));
	return true;
}

/* A call that goes on: what becomes of it is accept_end()'s to count and record. */
static __attribute__((noinline)) bool keep_call(struct call *call, struct socket *newsock, const struct caller *caller,
					       const struct listener *listener)
{
	struct queue queue = { 0 };

	read_queue(listener->sk, false, &queue);
	keep_caller(call, caller);
	keep_listener(call, listener, &queue);
	call->newsock = (__u64)newsock;
	return true;
}

/* Decides and counts with no place to keep a call in, for want of memory: it can be neither followed nor recorded. */
static __attribute__((noinline)) bool decide_unkept(struct state *state, const struct caller *caller,
						   const struct listener *listener)
{
	struct answer answer = { 0 };

	answer_caller(&answer, caller, listener);
	count_decision(state, &answer);
	__sync_fetch_and_add(&state->unfinished, 1);
	return answer.verdict == VERDICT_DENY;
}

/* True if the policy denies what `caller` asks, in whichever mode. */
static __always_inline bool decide_call(struct state *state, struct socket *newsock, const struct caller *caller,
					const struct listener *listener)
{
	struct call *call = begin_call(state, caller->task);
	bool deny;

	if (!call)
		return decide_unkept(state, caller, listener);
	call->operation = OPERATION_ACCEPT;
	answer_caller(&call->answer, caller, listener);
	count_decision(state, &call->answer);
	deny = call->answer.verdict == VERDICT_DENY;
	if (deny && caller->policy->mode == MODE_ENFORCE) {
		CALL(record_refusal(state, call, caller, listener));
		end_call(state, caller->task, call);
	} else {
		CALL(keep_call(call, newsock, caller, listener));
	}
	return deny;
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
		return pass_on(ret);
	}
	if (sk)
		family = sk->__sk_common.skc_family;
	if (!sk || !is_mediated(sock, family)) {
		__sync_fetch_and_add(&counters->unmediated, 1);
		return 0;
	}
	read_listener(&listener, sk, family);
	if (!read_caller(counters, listener.port, &caller))
		return 0;
	if (!decide_call(counters, newsock, &caller, &listener) || caller.policy->mode != MODE_ENFORCE)
		return 0;
	ret = -EPERM;
	FORGET(ret); /* a constant in a branch, not the result of arithmetic that a verifier can't follow */
	return ret;
}

/* True if a call that failed had taken a connection from the queue: it then couldn't tell who it is from (EFAULT). */
static __always_inline bool had_connection(const struct call *call)
{
	const struct socket *newsock = (const struct socket *)call->newsock;

	return BPF_CORE_READ(newsock, state) == SS_CONNECTED;
}

static __always_inline void finish_accept(struct state *state, struct task_struct *task, struct call *call,
					  struct file *accepted)
{
	struct socket *socket = bpf_sock_from_file(accepted);
	struct sock *child = socket ? socket->sk : 0;

	if (!child)
		return;
	count_connection(state, &call->answer);
	if (call->answer.verdict == VERDICT_DENY)
		CALL(record_permitted(state, task, call, child));
	else
		CALL(record_connection(state, task, call, child, 0));
}

/*
 * Its result tells an accept that gave the caller a connection from one that didn't; lsm/sock_graft is passed by those
 * too that fail after it. The kernel's own accepts (kernel_accept()) don't come here.
 */
SEC("fexit/do_accept")
int BPF_PROG(accept_end, struct file *listener, void *argument, void *address, void *length, int flags,
	     struct file *accepted)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct state *counters;
	struct call *call;
	__u64 result = 0;
	__u32 zero = 0;

	counters = bpf_map_lookup_elem(&state, &zero);
	if (!counters)
		return 0;
	call = call_of(counters, task);
	if (!call)
		return 0;
	bpf_get_func_ret(ctx, &result);
	if (result < (__u64)-MAX_ERRNO)
		finish_accept(counters, task, call, accepted);
	else if (result != (__u64)-EAGAIN && had_connection(call))
		__sync_fetch_and_add(&counters->failed, 1);
	end_call(counters, task, call);
	return 0;
}

static __always_inline void keep_forgery(struct call *call, const struct caller *caller, int what)
{
	struct answer *answer = &call->answer;

	answer->generation = caller->policy->generation;
	answer->binary = caller->binary;
	answer->uid = caller->uid;
	answer->port = 0;
	answer->class = CLASS_NONE;
	answer->verdict = VERDICT_DENY;
	answer->reason = REASON_PRCTL;
	call->operation = what == PR_SET_MM_MAP ? OPERATION_SET_MM_MAP : OPERATION_SET_MM_EXE_FILE;
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
	__u32 zero = 0;

	if (option != PR_SET_MM || (what != PR_SET_MM_MAP && what != PR_SET_MM_EXE_FILE))
		return 0; /* the kernel goes on as if nobody was asked */
	if (bpf_get_current_task_btf()->cred->user_ns->level == 0)
		return 0; /* checkpoint/restore by an administrator of the machine */
	counters = bpf_map_lookup_elem(&state, &zero);
	if (!counters || !read_caller(counters, arg3, &caller))
		return 0;
	__sync_fetch_and_add(&counters->forgeries, 1);
	call = begin_call(counters, caller.task);
	if (call) {
		keep_caller(call, &caller);
		keep_forgery(call, &caller, what);
		CALL(record_forgery(counters, caller.task, call));
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
static __always_inline __u32 number_superblock(struct super_block *sb, struct state *state)
{
	struct superblock *there, fresh = { .root = (__u64)sb->s_root };
	__u64 address = (__u64)sb;

	there = bpf_map_lookup_elem(&superblocks, &address);
	if (there && there->root == fresh.root)
		return there->number;
	if (there) /* that of another one, which went while the hook was off */
		bpf_map_delete_elem(&superblocks, &address);
	fresh.number = (__u32)__sync_fetch_and_add(&state->next_superblock, 1) + 1;
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
	struct state *counters;
	__u32 zero = 0;

	counters = bpf_map_lookup_elem(&state, &zero);
	if (!file || !ctx->task || !counters)
		return 0;
	dentry = directory = file->f_path.dentry;
	if ((file->f_inode->i_mode & S_IFMT) != S_IFDIR)
		directory = dentry->d_parent;
	identity.fd = ctx->fd;
	identity.flags = directory_of(directory, counters, &identity.directory);
	if (!(identity.flags & FILE_WORTHLESS)) {
		identity.directory.superblock = number_superblock(directory->d_inode->i_sb, counters);
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
