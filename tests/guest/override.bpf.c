/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * override: programs that overrule others on the hook bpf_map. A number above 0 is no error to its caller, and keeps the others
 * from being asked.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* For all security modules. */
SEC("fmod_ret/security_bpf_map")
int modify(void *ctx)
{
	(void)ctx;
	return 1;
}

/* For the BPF programs that are attached already. From Linux 6.12 on the verifier refuses it. */
SEC("lsm/bpf_map")
int first(void *ctx)
{
	(void)ctx;
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
