/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who asks, and which policy is in force for that call.
 */
#ifndef SOCKACCEPT_CALLER_BPF_H
#define SOCKACCEPT_CALLER_BPF_H

#include "policy_page.bpf.h"
#include "process.bpf.h"
#include "shared/compiler.h"

#include <bpf/bpf_helpers.h>

/* A caller, and the policy in force for its call. */
struct caller {
	struct control *control;
	policy_ref image; /* of that policy */
	const struct policy_header *policy;
	struct task_struct *task;
	__u32 binary;
	__u32 uid;
	__u32 gid;
};

/* Returns the slot of the policy that decides, while control.trial is this word, which isn't 0. */
static __always_inline __u32 slot_on_trial(struct control *control, __u64 trial)
{
	if (!(trial & TRIAL_PENDING))
		return SLOT_BEFORE;
	if (bpf_ktime_get_boot_ns() < (trial & ~TRIAL_PENDING))
		return SLOT_LOADED;
	/* Whoever exchanged it meanwhile decides: it was confirmed, or is over already. */
	trial = __sync_val_compare_and_swap(&control->trial, trial, TRIAL_OVER);
	return trial && (trial == TRIAL_OVER || bpf_ktime_get_boot_ns() >= (trial & ~TRIAL_PENDING)) ? SLOT_BEFORE : SLOT_LOADED;
}

/* Returns the image of the policy in force, and its header; NULL: there is none. */
static __always_inline policy_ref image_in_force(struct control *control, const struct policy_header **header)
{
	__u64 trial = *(volatile __u64 *)&control->trial;
	const struct policy_page *page;
	__u32 slot = SLOT_LOADED;
	policy_ref image;

	if (trial)
		slot = slot_on_trial(control, trial);
	image = bpf_map_lookup_elem(&policy, &slot);
	if (!image)
		return 0;
	page = policy_page(image, 0);
	if (!page)
		return 0;
	*header = &page->header;
	return image;
}

/* Fills in who calls. Returns false if no policy is in force. `noise` is any number that the verifier doesn't know. */
static __always_inline bool read_caller(__u32 noise, struct caller *caller)
{
	const struct cred *cred;
	__u32 binary, zero = 0;
	struct control *there;
	struct file *exe;

	there = bpf_map_lookup_elem(&control, &zero);
	if (!there)
		return false;
	caller->control = there;
	/* The only load of the reference: all that follows reads this one policy, whatever replaces it meanwhile. */
	caller->image = image_in_force(there, &caller->policy);
	if (!caller->image)
		return false;

	caller->task = bpf_get_current_task_btf();
	cred = caller->task->cred;
	caller->uid = cred->euid.val;
	caller->gid = cred->egid.val;
	exe = executable_of(caller->task);
	binary = exe ? number_of(caller->task, exe, there) : BINARY_ANY;
	BLUR(binary, noise);
	caller->binary = binary;
	return true;
}

/* True if `sk` is the listener of `doctor`'s self-test. */
static __always_inline bool is_self_test(const struct control *control, struct sock *sk)
{
	__u64 cookie = *(volatile __u64 *)&control->self_test & ~SELF_TEST_DECIDE;

	return cookie && cookie == (__u64)sk->__sk_common.skc_cookie.counter;
}

#endif
