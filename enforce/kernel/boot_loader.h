/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells how to add BPF LSM to the kernel's command line with the boot loader of this machine.
 */
#ifndef SOCKACCEPT_BOOT_LOADER_H
#define SOCKACCEPT_BOOT_LOADER_H

/*
 * Returns a text, to be freed, that says how to boot with `bpf` beside the security modules of `list` (in the form of
 * /sys/kernel/security/lsm): for each boot loader whose configuration is found here, or in general if none is.
 */
char *boot_loader_remedy(const char *list);

#endif
