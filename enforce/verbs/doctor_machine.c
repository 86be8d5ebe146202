/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `doctor` looks at on the machine: all that loading a policy needs.
 */
#include "enforce/base/privileges.h"
#include "enforce/kernel/prerequisites.h"
#include "enforce/verbs/doctor.h"

/* Returns the health of something without which no program can be loaded. */
static enum health as_needed(struct patient *patient, enum status status)
{
	patient->unfit = patient->unfit || status != STATUS_DONE;
	return as_health(status);
}

enum health look_kernel(struct patient *patient)
{
	char release[65];
	bool old = prerequisite_is_old(release, sizeof(release));

	DETAIL(patient, "Linux %s", release);
	return as_health(old ? fail(STATUS_UNSUPPORTED, "Linux %s is too old; boot Linux 6.1 or newer", release) : STATUS_DONE);
}

enum health look_btf(struct patient *patient)
{
	DETAIL(patient, "%s", KERNEL_BTF);
	return as_needed(patient, prerequisite_btf());
}

enum health look_lsm(struct patient *patient)
{
	enum status status = prerequisite_lsm(patient->detail, sizeof(patient->detail));

	if (status != STATUS_DONE || *patient->detail)
		return as_needed(patient, status);
	DETAIL(patient, "securityfs isn't mounted, which has the list; that the program is called, the self-test shows");
	return HEALTH_ABSENT;
}

enum health look_lockdown(struct patient *patient)
{
	return as_needed(patient, prerequisite_lockdown(patient->detail, sizeof(patient->detail)));
}

enum health look_ftrace(struct patient *patient)
{
	const char *problem = prerequisites_not_enforcing();

	DETAIL(patient, "1");
	return as_health(problem ? fail(STATUS_FAILED, "%s", problem) : STATUS_DONE);
}

enum health look_bpffs(struct patient *patient)
{
	DETAIL(patient, "%s", BPFFS);
	return as_health(prerequisite_bpffs());
}

enum health look_capabilities(struct patient *patient)
{
	DETAIL(patient, "all that loading a policy takes");
	return as_needed(patient, privileges_check());
}
