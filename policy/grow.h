/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arrays that grow at their end. Only the array and the number of its elements are kept: the room doubles at each power of two.
 */
#ifndef SOCKACCEPT_GROW_H
#define SOCKACCEPT_GROW_H

#include <stddef.h>
#include <stdlib.h>

#include "policy/cleanup.h"

/* Returns `array`, moved if it was full, with room for one more element of `size` bytes. Aborts without memory. */
static inline void *grow(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	return must(reallocarray(array, count ? 2 * count : 1, size));
}

/*
 * Appends `element` to an array from malloc(3), or NULL if it is empty, and counts it in `count`. The array must have grown by this
 * alone; it may have lost elements at its end. Both are evaluated more than once. Aborts without memory.
 */
#define APPEND(array, count, element)                               \
	do {                                                        \
		(array) = grow((array), (count), sizeof(*(array))); \
		(array)[(count)++] = (element);                     \
	} while (0)

#endif
