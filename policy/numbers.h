/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of numbers, as arrays: the ids of users, and indices.
 */
#ifndef SOCKACCEPT_NUMBERS_H
#define SOCKACCEPT_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sorts the numbers, and drops repetitions. Returns how many are left. */
size_t numbers_sort(uint32_t *numbers, size_t count);

/* Returns true if `number` is among `numbers`, in any order. */
bool numbers_have(const uint32_t *numbers, size_t count, uint32_t number);

/* Returns the same of sorted numbers, sooner. */
bool numbers_sorted_have(const uint32_t *numbers, size_t count, uint32_t number);

#endif
