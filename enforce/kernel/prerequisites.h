/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks what a machine must have before anything can be loaded or found. Functions that return a status return STATUS_DONE, or print
 * what is missing and how to get it.
 */
#ifndef SOCKACCEPT_PREREQUISITES_H
#define SOCKACCEPT_PREREQUISITES_H

#include <stdbool.h>
#include <stddef.h>

#include "enforce/base/status.h"

#define BPFFS "/sys/fs/bpf"
#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

/*
 * Finds out which bpffs is the machine's, for prerequisite_bpffs(). Call this before capabilities are dropped: it can't be seen after.
 */
void prerequisites_look_around(void);

/* Returns false in a mount namespace that has something else at BPFFS than the machine has. */
bool prerequisite_bpffs_is_machines(void);

/* Returns true if this kernel is too old for the programs. Writes its release into `release`, of `size` bytes. */
bool prerequisite_is_old(char *release, size_t size);

/* Checks that the kernel has its own type information, by which the programs find its fields (CO-RE). */
enum status prerequisite_btf(void);

/*
 * Checks that BPF LSM is among the security modules that the kernel was started with: without it, a program attaches and is never called.
 * Writes the list of modules into `list`, of `size` bytes. If it can't be read, as when securityfs isn't mounted, `list` is empty and
 * STATUS_DONE is returned: only loading and the self-test tell then.
 */
enum status prerequisite_lsm(char *list, size_t size);

/* Returns true if the list of security modules can be read. */
bool prerequisite_lsm_is_known(void);

/* Prints that BPF LSM seems to be missing, with what was `seen` that points to it. Returns STATUS_UNSUPPORTED. */
enum status prerequisite_lsm_is_missing(const char *seen);

/*
 * Checks that programs may read the kernel's memory, which lockdown=confidentiality forbids (kernel_lockdown(7)). Writes the mode into
 * `mode`, of `size` bytes: `none` if the kernel has no lockdown.
 */
enum status prerequisite_lockdown(char *mode, size_t size);

/* Checks all that the kernel must have: type information, BPF LSM, and no lockdown for confidentiality. */
enum status prerequisites_of_kernel(void);

/* Returns what prerequisites_of_kernel() would print, to be freed, or NULL if nothing is missing. */
char *prerequisites_problem(void);

/* Checks that a BPF file system is mounted at BPFFS, and that it is the machine's, not one of another mount namespace. */
enum status prerequisite_bpffs(void);

/*
 * Returns why attached programs aren't called, and the remedy, as a constant text, or NULL if no reason is known. The one known is
 * `kernel.ftrace_enabled=0`, which turns BPF LSM programs off on Linux 6.1 and 6.12.
 */
const char *prerequisites_not_enforcing(void);

#endif
