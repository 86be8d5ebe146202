/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counting guest instructions. In a guest that runs with `-icount shift=0` the time stamp counter counts them: a loop whose length is
 * known tells how many ticks one makes.
 */
#ifndef SOCKACCEPT_BENCH_TICKS_H
#define SOCKACCEPT_BENCH_TICKS_H

#include <stdint.h>
#include <stdlib.h>
#include <x86intrin.h>

static inline int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static inline uint64_t median(uint64_t *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

/* Ticks of 10,000 instructions, times 100 for the sake of two decimals: 1,000,000 is one tick each. */
static inline uint64_t ticks_of_10000(void)
{
	uint64_t samples[101];

	for (int i = 0; i < 101; i++) {
		uint64_t start = __rdtsc();

		__asm__ volatile(".rept 10000\n\tnop\n\t.endr");
		samples[i] = (__rdtsc() - start) * 100;
	}
	return median(samples, 101);
}

/* The median of `count` samples, which are sorted, as instructions. */
static inline uint64_t median_instructions(uint64_t *samples, size_t count)
{
	return median(samples, count) * 1000000 / ticks_of_10000();
}

#endif
