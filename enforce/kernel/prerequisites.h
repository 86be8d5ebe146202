/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a machine must have before anything can be loaded or found. Each function returns STATUS_DONE, or says what is
 * missing and how to get it.
 */
#ifndef SOCKACCEPT_PREREQUISITES_H
#define SOCKACCEPT_PREREQUISITES_H

#include <stdbool.h>
#include <stddef.h>

#include "enforce/base/status.h"

#define BPFFS "/sys/fs/bpf"
#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

/*
 * Looks at what can't be seen any more once capabilities are dropped: call it before. It is which bpffs is the machine's,
 * for prerequisite_bpffs().
 */
void prerequisites_look_around(void);

/* False in a mount namespace that has something else there than the machine. */
bool prerequisite_bpffs_is_machines(void);

/* True if this kernel is older than any that the programs were made for. Its release goes to `release`, of `size` bytes. */
bool prerequisite_is_old(char *release, size_t size);

/* The kernel has its own type information, by which the programs find its fields (CO-RE). */
enum status prerequisite_btf(void);

/*
 * BPF LSM is among the security modules that the kernel was started with (DESIGN, section 10: without, a program attaches,
 * and is never called). The list of them goes to `list`, of `size` bytes. Where it can't be read, as securityfs isn't mounted,
 * it is empty, and the result is STATUS_DONE: only what happens tells then.
 */
enum status prerequisite_lsm(char *list, size_t size);

/* True if the list of security modules can be read. */
bool prerequisite_lsm_is_known(void);

/* Says that BPF LSM seems to be missing, by what was `seen`, and returns STATUS_UNSUPPORTED. */
enum status prerequisite_lsm_is_missing(const char *seen);

/*
 * Programs may read the kernel's memory: lockdown=confidentiality forbids it (lockdown(7)). The mode goes to `mode`, of `size`
 * bytes; `none` if the kernel has no lockdown.
 */
enum status prerequisite_lockdown(char *mode, size_t size);

/* All of the above that the kernel must have. */
enum status prerequisites_of_kernel(void);

/* What prerequisites_of_kernel() says, to be freed; NULL: nothing is missing. */
char *prerequisites_problem(void);

/* BPF_FS is mounted where the pins are, and it is the machine's, not one of another mount namespace. */
enum status prerequisite_bpffs(void);

/*
 * Why attached programs aren't called, with the remedy, as a constant text; NULL: no reason known.
 * `kernel.ftrace_enabled=0` turns BPF LSM programs off on 6.1 and 6.12 (DESIGN, section 10).
 */
const char *prerequisites_not_enforcing(void);

#endif
