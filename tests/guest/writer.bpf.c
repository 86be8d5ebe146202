/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * writer: writes to the map `target`, in whose place another one is given when it is loaded (bpftool prog load ... map name
 * target id N). Of the size of sockaccept's control and of a policy's page.
 */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 112);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
} target SEC(".maps");

SEC("syscall")
int writer(void *ctx)
{
	__u32 zero = 0;
	__u64 *words = bpf_map_lookup_elem(&target, &zero);

	(void)ctx;
	if (!words)
		return 1;
	words[0] = ~0ULL;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
