/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check: prints what is wrong with policy files. It needs no privilege and no kernel side.
 */
#include <stdio.h>

#include "enforce/base/output.h"
#include "enforce/change/diagnostics_print.h"
#include "enforce/change/policy_files.h"
#include "enforce/verbs/verb.h"

static void print_check(const struct diagnostics *diagnostics, const struct policy *policy, bool json)
{
	struct output output;

	output_start(&output, stdout, json);
	if (!json) {
		diagnostics_print(diagnostics);
		if (!diagnostics->errors)
			printf("Valid: %zu rule%s.\n", policy->rule_count, policy->rule_count == 1 ? "" : "s");
		return;
	}
	output_open_object(&output, NULL);
	output_number(&output, "schema", NULL, 1);
	output_flag(&output, "valid", NULL, !diagnostics->errors);
	diagnostics_print_json(&output, "errors", diagnostics, SEVERITY_ERROR);
	diagnostics_print_json(&output, "warnings", diagnostics, SEVERITY_WARNING);
	if (diagnostics->offline)
		diagnostics_print_json(&output, "notes", diagnostics, SEVERITY_NOTE);
	output_close(&output);
	output_end(&output);
}

enum status verb_check(const struct invocation *invocation)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics = { 0 };
	_cleanup_policy_ struct policy policy = POLICY_INIT;

	policy_files_read(invocation->arguments[0], invocation->given[OPTION_OFFLINE] ? READ_OFFLINE : READ_FOR_CHECK,
			  !invocation->given[OPTION_NO_WARNINGS], &policy, &diagnostics);
	if (!diagnostics.errors)
		policy_normalise(&policy);
	print_check(&diagnostics, &policy, invocation->given[OPTION_JSON]);
	return diagnostics.errors ? STATUS_INVALID : STATUS_DONE;
}
