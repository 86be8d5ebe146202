/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sorts numbers, and finds one among others.
 */
#include "policy/numbers.h"

#include <stdlib.h>

#include "policy/compare.h"

static int compare(const void *a, const void *b)
{
	const uint32_t *first = a, *second = b;

	COMPARE(*first, *second);
	return 0;
}

size_t numbers_sort(uint32_t *numbers, size_t count)
{
	size_t kept = 0;

	if (count)
		qsort(numbers, count, sizeof(*numbers), compare);
	for (size_t i = 0; i < count; i++)
		if (!kept || numbers[i] != numbers[kept - 1])
			numbers[kept++] = numbers[i];
	return kept;
}

bool numbers_have(const uint32_t *numbers, size_t count, uint32_t number)
{
	for (size_t i = 0; i < count; i++)
		if (numbers[i] == number)
			return true;
	return false;
}

bool numbers_sorted_have(const uint32_t *numbers, size_t count, uint32_t number)
{
	return count && bsearch(&number, numbers, count, sizeof(*numbers), compare);
}
