/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/policy_files.h"

#include "enforce/change/diagnostics_print.h"
#include "policy/advice.h"
#include "policy/resolve.h"
#include "policy/source.h"

void policy_files_read(const char *path, enum purpose purpose, bool warnings, struct policy *policy, struct diagnostics *diagnostics)
{
	source_read(path, purpose, policy, diagnostics);
	if (!diagnostics->errors)
		resolve_policy(policy, purpose, diagnostics);
	if (!diagnostics->errors)
		advise_policy(policy, diagnostics);
	if (!warnings)
		diagnostics_drop_warnings(diagnostics);
}

enum status policy_files_read_valid(const char *path, enum purpose purpose, bool warnings, struct policy *policy)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics = { 0 };

	policy_files_read(path, purpose, warnings, policy, &diagnostics);
	diagnostics_print(&diagnostics);
	return diagnostics.errors ? STATUS_INVALID : STATUS_DONE;
}
