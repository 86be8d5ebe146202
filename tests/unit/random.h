/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SOCKACCEPT_RANDOM_H
#define SOCKACCEPT_RANDOM_H

#include <stdint.h>

/* A row of random numbers that is the same in each run. */
static uint32_t random_below(uint32_t limit)
{
	static uint64_t state = 0x9e3779b97f4a7c15ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 20) % limit;
}

#endif
