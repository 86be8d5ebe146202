/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes the members that a filter asks for as they stand in a line.
 */
#include "enforce/records/needles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/base/escape.h"
#include "policy/cleanup.h"
#include "policy/ini.h"

/* Adds `"key":"value"` as it stands in a line, without its last quote unless `whole`. */
static void add(struct needles *needles, const char *key, const char *value, bool whole)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = must(open_memstream(&text, &length));

	fprintf(stream, "\"%s\":", key);
	escape_print_json(stream, value);
	fclose(stream);
	if (!whole)
		text[length - 1] = '\0';
	needles->list = must(reallocarray(needles->list, needles->count + 1, sizeof(*needles->list)));
	needles->list[needles->count++] = must(text);
}

void needles_find(struct needles *needles, const struct filter *filter)
{
	/* A file name can stand behind any directory, and a link stands for another path. */
	if (filter->binary && *filter->binary == '/' && (!filter->resolved || !strcmp(filter->resolved, filter->binary)))
		add(needles, "binary", filter->binary, true);
	if (filter->unit)
		add(needles, "unit", filter->unit, false);
	for (unsigned verdict = 0; verdict < VERDICTS; verdict++)
		if (filter->verdicts == VERDICT_BIT(verdict))
			add(needles, "verdict", ini_verdict_words[verdict], true);
}

bool needles_are_in(const struct needles *needles, const char *line, size_t length)
{
	for (size_t i = 0; i < needles->count; i++)
		if (!memmem(line, length, needles->list[i], strlen(needles->list[i])))
			return false;
	return true;
}

void needles_clear(struct needles *needles)
{
	for (size_t i = 0; i < needles->count; i++)
		free(needles->list[i]);
	free(needles->list);
	*needles = (struct needles){ 0 };
}
