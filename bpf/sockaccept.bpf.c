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
#include "maps.bpf.h"

typedef void *policy_ref;

static const struct policy_page *policy_page(policy_ref policy, __u32 number)
{
	return bpf_map_lookup_elem(policy, &number);
}

#include "decision.h"
#include "identity.bpf.h"
#include "call.bpf.h"
#include "count.bpf.h"
#include "listener.bpf.h"
#include "record.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

/* Who calls, and what was decided about it. */
struct decided {
	struct task_struct *task;
	const struct policy_header *policy;
	const struct rule_record *rule; /* NULL: the default */
	__u32 binary;
	__u32 uid;
	__u32 gid;
	__u32 verdict;
};

/*
 * Fills in who calls, and the policy that is in force now. Returns its image, or NULL: there is none. `noise` is any
 * number that the verifier doesn't know.
 */
static __always_inline void *read_caller(struct state *state, __u32 noise, struct decided *decided)
{
	const struct policy_page *page;
	const struct cred *cred;
	__u32 binary, zero = 0;
	struct file *exe;
	void *image;

	/* The only load of the reference: everything below reads this one policy, whatever replaces it. */
	image = bpf_map_lookup_elem(&policy, &zero);
	if (!image)
		return 0;
	page = policy_page(image, 0);
	if (!page)
		return 0;
	decided->policy = &page->header;

	decided->task = bpf_get_current_task_btf();
	cred = decided->task->cred;
	decided->uid = cred->euid.val;
	decided->gid = cred->egid.val;
	exe = executable_of(decided->task);
	binary = exe ? binary_of(exe, state) : BINARY_ANY;
	BLUR(binary, noise);
	decided->binary = binary;
	return image;
}

/* Fills `decided` under the policy that is in force now. False: there is none. */
static __always_inline bool decide_request(struct state *state, const struct listener *listener,
					   struct decided *decided)
{
	void *image = read_caller(state, listener->port, decided);
	struct request request = { 0 };

	if (!image)
		return false;
	request.binary = decided->binary & BINARY_UNNAMED ? BINARY_ANY : decided->binary;
	request.uid = decided->uid;
	request.protocol = listener->class;
	BLUR(request.protocol, listener->port);
	request.port = listener->port;
	decided->rule = decide(image, decided->policy, &request);
	decided->verdict = decided->rule ? decided->rule->label.verdict : decided->policy->verdict;
	return true;
}

/* Keeps what was decided for as long as the call takes. */
static __always_inline void keep_decision(struct call *call, const struct decided *decided)
{
	struct file *exe;

	call->generation = decided->policy->generation;
	call->binary = decided->binary;
	call->uid = decided->uid;
	call->gid = decided->gid;
	call->verdict = decided->verdict;
	call->flags = decided->policy->mode == MODE_ENFORCE ? EVENT_ENFORCED : 0;
	call->reason = REASON_DEFAULT;
	call->counter = NO_COUNTER;
	if (decided->rule) {
		call->reason = REASON_RULE;
		call->counter = decided->rule->counter;
		call->rule = decided->rule->label;
	}
	call->path.length = 0;
	if (decided->binary & BINARY_UNNAMED) {
		exe = executable_of(decided->task);
		if (exe)
			call->flags |= path_of(decided->task, exe, decided->binary, &call->path);
	}
}

static __always_inline bool is_refused(const struct decided *decided)
{
	return decided->verdict == VERDICT_DENY && decided->policy->mode == MODE_ENFORCE;
}

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

static __always_inline void keep_listener(struct call *call, const struct listener *listener, const struct queue *queue)
{
	struct sock *sk = listener->sk;
	__u16 family = sk->__sk_common.skc_family;

	call->family = family;
	call->protocol = family == AF_VSOCK ? 0 : sk->sk_protocol;
	call->netns = sk->__sk_common.skc_net.net->ns.inum;
	call->port = listener->port;
	call->backlog = queue->backlog;
	call->backlog_max = queue->backlog_max;
}

/* Counts a decision, and records it if it ends the call; what else becomes of the call is accept_end()'s. */
static __attribute__((noinline)) bool begin_accept(struct state *state, struct socket *newsock,
						  const struct listener *listener, const struct decided *decided)
{
	struct call *call = begin_call(state, decided->task);
	struct queue queue = { 0 };

	if (!call) {
		__sync_fetch_and_add(&state->decisions[decided->verdict & (VERDICTS - 1)].decisions, 1);
		__sync_fetch_and_add(&state->unfinished, 1);
		return false;
	}
	read_queue(listener->sk, is_refused(decided), &queue);
	keep_decision(call, decided);
	keep_listener(call, listener, &queue);
	call->operation = OPERATION_ACCEPT;
	call->newsock = (__u64)newsock;
	CALL(count_decision(state, call));
	if (!is_refused(decided))
		return true;
	if (queue.waiting) {
		count_connection(state, call);
		CALL(record_waiting(state, decided->task, call, listener, &queue));
	}
	end_call(state, decided->task, call);
	return true;
}

SEC("lsm/socket_accept")
int BPF_PROG(socket_accept, struct socket *sock, struct socket *newsock, int ret)
{
	struct listener listener = { 0 };
	struct decided decided = { 0 };
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
	if (!decide_request(counters, &listener, &decided))
		return 0;
	CALL(begin_accept(counters, newsock, &listener, &decided));
	if (!is_refused(&decided))
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
	count_connection(state, call);
	if (call->verdict == VERDICT_DENY)
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

/* What prctl() would change the executable to doesn't matter: looking at its arguments could be raced. */
SEC("lsm/task_prctl")
int BPF_PROG(task_prctl, int option, unsigned long arg2, unsigned long arg3, unsigned long arg4, unsigned long arg5,
	     int ret)
{
	struct decided decided = { 0 };
	struct state *counters;
	int what = (int)arg2; /* as prctl_set_mm() takes it: the upper half counts for nothing */
	struct call *call;
	__u32 zero = 0;

	if (option != PR_SET_MM || (what != PR_SET_MM_MAP && what != PR_SET_MM_EXE_FILE))
		return 0; /* the kernel goes on as if nobody was asked */
	if (bpf_get_current_task_btf()->cred->user_ns->level == 0)
		return 0; /* checkpoint/restore by an administrator of the machine */
	counters = bpf_map_lookup_elem(&state, &zero);
	if (!counters || !read_caller(counters, arg3, &decided))
		return 0;
	decided.verdict = VERDICT_DENY;
	__sync_fetch_and_add(&counters->forgeries, 1);
	call = begin_call(counters, decided.task);
	if (call) {
		keep_decision(call, &decided);
		call->reason = REASON_PRCTL;
		call->operation = what == PR_SET_MM_MAP ? OPERATION_SET_MM_MAP : OPERATION_SET_MM_EXE_FILE;
		call->port = 0;
		CALL(record_forgery(counters, decided.task, call));
		end_call(counters, decided.task, call);
	}
	if (decided.policy->mode != MODE_ENFORCE)
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
