/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeps the sums in a tree, to find them by text, and in a list, to sort them.
 */
#include "enforce/records/sums.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"

static int compare_texts(const void *a, const void *b)
{
	return strcmp(((const struct sum *)a)->text, ((const struct sum *)b)->text);
}

static struct sum *add_new(struct sums *sums, const char *text, int64_t real)
{
	struct sum *sum = must(calloc(1, sizeof(*sum)));

	sum->text = must(strdup(text));
	sum->first = real;
	must(tsearch(sum, &sums->tree, compare_texts));
	if (sums->count == sums->room) {
		sums->room = sums->room ? 2 * sums->room : 64;
		sums->list = must(reallocarray(sums->list, sums->room, sizeof(struct sum *)));
	}
	sums->list[sums->count++] = sum;
	return sum;
}

struct sum *sums_find(const struct sums *sums, const char *text)
{
	const struct sum key = { .text = (char *)(uintptr_t)text };
	struct sum **found = tfind(&key, &sums->tree, compare_texts);

	return found ? *found : NULL;
}

void sums_add(struct sums *sums, const char *text, unsigned verdict, uint64_t count, int64_t real)
{
	struct sum *sum = sums_find(sums, text);

	if (!sum && sums->count < SUMS_MOST)
		sum = add_new(sums, text, real);
	if (sum)
		sum->count[verdict & (VERDICTS - 1)] += count;
	else
		sums->others[verdict & (VERDICTS - 1)] += count;
}

static int compare_counts(const void *a, const void *b, void *verdict)
{
	const struct sum *first = *(struct sum *const *)a, *second = *(struct sum *const *)b;
	unsigned by = *(const unsigned *)verdict;

	if (first->count[by] != second->count[by])
		return first->count[by] < second->count[by] ? 1 : -1;
	return strcmp(first->text, second->text);
}

void sums_sort(struct sums *sums, unsigned verdict)
{
	if (sums->count)
		qsort_r(sums->list, sums->count, sizeof(struct sum *), compare_counts, &verdict);
}

static int compare_first(const void *a, const void *b)
{
	const struct sum *first = *(struct sum *const *)a, *second = *(struct sum *const *)b;

	if (first->first != second->first)
		return first->first < second->first ? 1 : -1;
	return strcmp(first->text, second->text);
}

void sums_sort_by_first(struct sums *sums)
{
	if (sums->count)
		qsort(sums->list, sums->count, sizeof(struct sum *), compare_first);
}

static void leave(void *node)
{
	(void)node; /* the list has them all */
}

void sums_clear(struct sums *sums)
{
	tdestroy(sums->tree, leave);
	for (size_t i = 0; i < sums->count; i++) {
		free(sums->list[i]->text);
		free(sums->list[i]);
	}
	free(sums->list);
	*sums = (struct sums){ 0 };
}
