/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a program of ours is attached, asked of a BPF iterator: takes CAP_BPF and CAP_PERFMON, and no CAP_SYS_ADMIN.
 */
#ifndef SOCKACCEPT_ATTACHED_H
#define SOCKACCEPT_ATTACHED_H

#include <stdbool.h>

/* The name of the program that decides about accepts. Its link is the last to be attached and the first to be removed. */
#define ATTACHED_PROGRAM "socket_accept"

/* Asks `count` times, `pause_us` apart. True if each time there was one; false also if the kernel can't be asked. */
bool attached_stays(int count, unsigned pause_us);

#endif
