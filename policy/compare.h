/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SOCKACCEPT_COMPARE_H
#define SOCKACCEPT_COMPARE_H

/* In a function for qsort(3): returns from it if a and b differ, and goes on if they don't. */
#define COMPARE(a, b)                              \
	do {                                       \
		if ((a) != (b))                    \
			return (a) < (b) ? -1 : 1; \
	} while (0)

#endif
