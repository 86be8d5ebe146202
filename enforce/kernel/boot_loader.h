/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How to add BPF LSM to the kernel's command line, in the words of the boot loader that is there.
 */
#ifndef SOCKACCEPT_BOOT_LOADER_H
#define SOCKACCEPT_BOOT_LOADER_H

/*
 * What to do so that the next boot has `bpf` beside the security modules of `list` (as /sys/kernel/security/lsm has them), for
 * each boot loader whose configuration is found here, or for any if none is. To be freed.
 */
char *boot_loader_remedy(const char *list);

#endif
