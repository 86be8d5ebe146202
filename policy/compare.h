/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Comparing for qsort(3).
 */
#ifndef SOCKACCEPT_COMPARE_H
#define SOCKACCEPT_COMPARE_H

/* Returns from a comparing function if `a` and `b` differ. Does nothing if they are equal. Evaluates both twice. */
#define COMPARE(a, b)                              \
	do {                                       \
		if ((a) != (b))                    \
			return (a) < (b) ? -1 : 1; \
	} while (0)

#endif
