/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes the reader of policy files (libFuzzer). Whatever the bytes are, it must not crash; each thing that
 * it says must be of use; and what it accepts must come back the same when it was written and read again.
 *
 *   make build/fuzz_policy
 *   build/fuzz_policy -dict=tests/fuzz/ini.dict -max_len=2048 NEW tests/fuzz/corpus
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
	if (!held)
		abort();
}

static void read_bytes(const void *bytes, size_t size, struct policy *policy, struct diagnostics *diagnostics)
{
	struct ini_settings settings = { 0 };
	FILE *stream = fmemopen((void *)bytes, size, "r");

	must(stream);
	policy_init(policy);
	ini_read(stream, "f", &settings, policy, diagnostics);
	fclose(stream);
	ini_settings_clear(&settings);
}

static unsigned count_lines(const uint8_t *data, size_t size)
{
	unsigned lines = 0;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n' || i == size - 1;
	return lines;
}

static void check_diagnostics(const struct diagnostics *diagnostics, unsigned lines)
{
	must(diagnostics->count <= 21 + 21);
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *d = &diagnostics->list[i];

		must(d->line >= 1 && d->line <= lines);
		must(strstr(d->message, "; ") && !strchr(d->message, '\n'));
		/* inih and the reader differ about no line. */
		must(strncmp(d->message, "this machine's inih", strlen("this machine's inih")));
	}
}

static bool same_rule(const struct policy *p, const struct rule *a, const struct policy *q, const struct rule *b)
{
	return !strcmp(a->section, b->section) && !strcmp(p->binaries[a->binary].path, q->binaries[b->binary].path) &&
	       a->port.first == b->port.first && a->port.last == b->port.last && a->port.protocol == b->port.protocol &&
	       a->verdict == b->verdict && a->has_uid == b->has_uid && a->uid == b->uid && a->counter == COUNTER_NONE &&
	       b->counter == COUNTER_NONE;
}

static void check_round_trip(struct policy *policy)
{
	struct diagnostics diagnostics = { 0 };
	struct policy again;
	char *text;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	must(stream);
	policy_normalise(policy);
	must(ini_write(policy, stream) == 0);
	fclose(stream);
	read_bytes(text, length, &again, &diagnostics);
	must(diagnostics.errors == 0);
	policy_normalise(&again);

	must(again.mode == policy->mode && again.verdict == policy->verdict && policy_flags(&again) == policy_flags(policy));
	must(again.rule_count == policy->rule_count);
	for (size_t i = 0; i < policy->rule_count; i++)
		must(same_rule(policy, &policy->rules[i], &again, &again.rules[i]));
	policy_clear(&again);
	diagnostics_clear(&diagnostics);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diagnostics diagnostics = { 0 };
	struct policy policy;

	read_bytes(data, size, &policy, &diagnostics);
	check_diagnostics(&diagnostics, count_lines(data, size));
	if (!diagnostics.errors)
		check_round_trip(&policy);
	policy_clear(&policy);
	diagnostics_clear(&diagnostics);
	return 0;
}
