/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds out through a BPF iterator whether our program is attached: that takes CAP_BPF and CAP_PERFMON, but not CAP_SYS_ADMIN, as
 * asking by ids would.
 */
#ifndef SOCKACCEPT_ATTACHED_H
#define SOCKACCEPT_ATTACHED_H

#include <stdbool.h>

/* The name of the program that decides about accepts. Its link is attached last and removed first. */
#define ATTACHED_PROGRAM "socket_accept"

/*
 * Looks `count` times, `pause_us` microseconds apart. Returns true if the program was attached each time; false also if the kernel can't
 * be asked.
 */
bool attached_stays(int count, unsigned pause_us);

#endif
