/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a machine must have before anything can be loaded or found. Each function returns STATUS_DONE, or says what is
 * missing and how to get it.
 */
#ifndef SOCKACCEPT_PREREQUISITES_H
#define SOCKACCEPT_PREREQUISITES_H

#include <stddef.h>

#include "enforce/status.h"

#define BPFFS "/sys/fs/bpf"
#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

/*
 * Looks at what can't be seen any more once capabilities are dropped: call it before. It is which bpffs is the machine's,
 * for prerequisite_bpffs().
 */
void prerequisites_look_around(void);

/* The kernel has its own type information, by which the programs find its fields (CO-RE). */
enum status prerequisite_btf(void);

/*
 * BPF LSM is among the security modules that the kernel was started with (DESIGN, section 10: without, a program attaches,
 * and is never called). The list of them goes to `list`, of `size` bytes: empty if it can't be read.
 */
enum status prerequisite_lsm(char *list, size_t size);

/*
 * Programs may read the kernel's memory: lockdown=confidentiality forbids it (lockdown(7)). The mode goes to `mode`, of `size`
 * bytes; `none` if the kernel has no lockdown.
 */
enum status prerequisite_lockdown(char *mode, size_t size);

/* BPF_FS is mounted where the pins are, and it is the machine's, not one of another mount namespace. */
enum status prerequisite_bpffs(void);

/*
 * Why attached programs aren't called, with the remedy, as a constant text; NULL: no reason known.
 * `kernel.ftrace_enabled=0` turns BPF LSM programs off on 6.1 and 6.12 (DESIGN, section 10).
 */
const char *prerequisites_not_enforcing(void);

#endif
