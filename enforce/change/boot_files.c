/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/boot_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enforce/base/escape.h"
#include "enforce/change/differences.h"
#include "enforce/change/policy_files.h"
#include "policy/cleanup.h"
#include "policy/source.h"

void boot_files_set_source(struct policy *policy, const char *path)
{
	_cleanup_free_ char *real = path ? realpath(path, NULL) : NULL;
	const char *source = real ? real : path ? path : DEFAULT_POLICY_BASE;
	size_t length = strlen(source);

	/* The end of a path that is too long says more than its beginning. */
	if (length > POLICY_SOURCE_MAX)
		snprintf(policy->source, sizeof(policy->source), "...%s", source + length - (POLICY_SOURCE_MAX - 3));
	else
		snprintf(policy->source, sizeof(policy->source), "%s", source);
}

bool boot_files_are_source(const struct policy *policy)
{
	return !strcmp(policy->source, DEFAULT_POLICY_BASE);
}

enum boot_files boot_files_compare(const struct policy *live)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics = { 0 };
	_cleanup_policy_ struct policy files = POLICY_INIT;

	if (access(DEFAULT_POLICY_FILE, F_OK) && access(DEFAULT_POLICY_DIR, F_OK))
		return BOOT_FILES_NONE;
	policy_files_read(NULL, READ_AT_BOOT, false, &files, &diagnostics);
	policy_normalise(&files);
	if (diagnostics.errors)
		return BOOT_FILES_INVALID;
	return policies_are_alike(&files, live) ? BOOT_FILES_SAME : BOOT_FILES_OTHER;
}

const char *boot_files_text(enum boot_files files)
{
	switch (files) {
	case BOOT_FILES_OTHER: return "loads " DEFAULT_POLICY_BASE ", which has another policy; see: sockaccept-ctl diff";
	case BOOT_FILES_INVALID: return "loads " DEFAULT_POLICY_BASE ", which is invalid; see: sockaccept-ctl check";
	case BOOT_FILES_NONE: return "loads nothing, as there is no policy in " DEFAULT_POLICY_BASE;
	default: return NULL;
	}
}

void boot_files_remark(const struct policy *policy)
{
	const char *text = boot_files_are_source(policy) || !*policy->source ? NULL : boot_files_text(boot_files_compare(policy));

	if (!text)
		return;
	fputs("This policy comes from ", stdout);
	escape_print(stdout, policy->source);
	printf(": the next boot %s.\n", text);
}
