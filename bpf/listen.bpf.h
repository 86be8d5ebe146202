/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * listen(2): denied where no accept(2) could be allowed, and where it would move a listener.
 *
 *   lsm/socket_listen   socket_listen: refuses a listen(2) of a binary that could not accept there under any condition. Also
 *                       refuses one by which a socket would listen on another port than before, while threads wait that were
 *                       asked about the first port. Must never refuse process 1, except a move, nor a listener that somebody may
 *                       accept on.
 *   lsm/socket_bind     socket_bind: refuses a bind(2) that moves a socket that has listened. Must never touch any other bind(2).
 */
#ifndef SOCKACCEPT_LISTEN_BPF_H
#define SOCKACCEPT_LISTEN_BPF_H

#include "listened.bpf.h"
#include "offence.bpf.h"
#include "pass_on.bpf.h"
#include "refuse.bpf.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/*
 * True if the caller is process 1 of the machine, which listens for others and hands its sockets over to them. systemd listens in a
 * child that executes nothing. The executable of that child is the same open file as process 1's, which it can't be after an execve(2)
 * (Linux, kernel/fork.c: dup_mm_exe_file()).
 */
static __always_inline bool is_first_process(const struct caller *caller)
{
	struct task_struct *parent;

	if (caller->task->tgid == 1)
		return true;
	parent = caller->task->real_parent;
	return parent && parent->tgid == 1 && executable_of(parent) == executable_of(caller->task);
}

/* Counts a denied listen(2), and describes why it is denied. */
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
 * Returns 1 if the policy in force lets a binary accept there under no condition, whoever it runs as by then. `event` then says under
 * which policy, and why. Finds the policy by itself, because a function that is verified alone can't be given a pointer into one.
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

/* Returns true if a listen(2) is to be refused: by the policy, or, whatever the rules say, because its socket was `moved`. */
static __always_inline bool refuses_listen(struct state *state, const struct caller *caller, const struct listener *listener, __u32 moved)
{
	bool enforced = moved && caller->policy->mode == MODE_ENFORCE;
	struct call *call = start_call(state, caller->task);
	__u32 denied = moved;

	if (!call) /* no memory: accept(2) will be asked */
		return enforced;
	CALL(describe_offence(call, caller, REASON_MOVED | OPERATION_LISTEN << 8, listener));
	/* Without a port, the kernel chooses one after this. accept(2) is asked about that one. */
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
	/* The port of the MPTCP socket itself is not given up together with that of the subflow below it. */
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

/* Returns the port that bind(2) is asked for, from the kernel's own copy; 0: any. */
static __always_inline __u32 wanted_port(const struct sockaddr *address)
{
	__u16 port = 0;

	bpf_probe_read_kernel(&port, sizeof(port), (const void *)address + sizeof(__u16)); /* sockaddr_in and sockaddr_in6 */
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
	/* What permissive mode lets pass here comes to listen(2), which records it. */
	if (caller.policy->mode != MODE_ENFORCE)
		return 0;
	__sync_fetch_and_add(&counters->moves, 1);
	read_listener(&listener, sk, family);
	listener.port = port;
	record_offence(counters, &caller, REASON_MOVED | OPERATION_LISTEN << 8, &listener);
	return refuse(EPERM);
}

#endif
