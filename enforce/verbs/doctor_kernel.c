/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `doctor` looks at on the kernel side: pins, programs, the policy in force, the gate; and a real accept(2).
 */
#include <inttypes.h>

#include "enforce/change/last_good.h"
#include "enforce/change/policy_files.h"
#include "enforce/kernel/gate.h"
#include "enforce/kernel/live.h"
#include "enforce/kernel/locked.h"
#include "enforce/kernel/moved.h"
#include "enforce/kernel/self_test.h"
#include "enforce/kernel/trial_word.h"
#include "enforce/verbs/doctor.h"
#include "policy/diagnostics.h"
#include "policy/ini.h"

enum health look_pins(struct patient *patient)
{
	enum status status = kernel_open(&patient->kernel, !locked_or_frozen(), false);

	patient->loaded = status == STATUS_DONE;
	patient->unloaded = status == STATUS_NOT_LOADED;
	DETAIL(patient, "%d objects in %s, layout %d", KERNEL_OBJECTS, SOCKACCEPT_PIN_DIR, SOCKACCEPT_LAYOUT);
	return as_health(status);
}

/* Returns how many events each buffer would hold after the next load. */
static uint32_t wanted_events(void)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics = { 0 };
	_cleanup_policy_ struct policy policy = POLICY_INIT;

	policy_files_read(NULL, READ_FOR_CHECK, false, &policy, &diagnostics);
	return policy.events;
}

enum health look_load(struct patient *patient)
{
	unsigned mib = 0;
	enum status status;

	DETAIL(patient, "the kernel has taken the programs");
	if (patient->loaded)
		return HEALTH_WELL;
	patient->detail[0] = '\0';
	if (!patient->unloaded || patient->unfit)
		return HEALTH_UNKNOWN;
	status = kernel_try(wanted_events(), &mib);
	DETAIL(patient, "the kernel takes the programs, which were let go again; their maps take %u MiB of its memory", mib);
	return as_health(status);
}

enum health look_program(struct patient *patient)
{
	struct program_ids pinned = { 0 };
	struct link_ids linked = { 0 };

	if (!patient->loaded)
		return HEALTH_UNKNOWN;
	/* The link of socket_accept comes last. */
	for (int object = FIRST_LINK; object < KERNEL_OBJECTS; object++) {
		char path[PIN_PATH_MAX];

		if (!kernel_link_ids(object, &linked) || !linked.program)
			return as_health(fail(STATUS_FAILED, "%s is missing, or attaches nothing; run: sockaccept-ctl unload, then load",
					      pin_path(object, path, sizeof(path))));
	}
	DETAIL(patient, "attached: socket_accept (id %" PRIu32 ") and %d more", linked.program, KERNEL_OBJECTS - FIRST_LINK - 1);
	/* When the policy is locked, nobody can open the program, and nobody can have changed the link. */
	if (locked_is_set())
		return HEALTH_WELL;
	program_ids(patient->kernel.fd[PROGRAM_SOCKET_ACCEPT], &pinned);
	if (pinned.id == linked.program)
		return HEALTH_WELL;
	return as_health(fail(STATUS_FAILED,
			      "another program (id %" PRIu32 ") than sockaccept's (id %" PRIu32 ") is attached by the link in %s; run: "
			      "sockaccept-ctl unload, then load",
			      linked.program, pinned.id, SOCKACCEPT_PIN_DIR));
}

enum health look_self_test(struct patient *patient)
{
	if (!patient->loaded)
		return HEALTH_UNKNOWN;
	DETAIL(patient, locked_or_frozen() ? "an accept of its own came to the program; as the policy is locked, no refusal can be tried" :
					     "an accept of its own was refused with EPERM, and the next one decided by the policy");
	return as_health(self_test(&patient->kernel));
}

static enum status judge_policy(const struct patient *patient, const struct policy *policy, const struct moved *moved)
{
	if (patient->kernel.state->last_good)
		return fail(STATUS_FAILED, "%s", LAST_GOOD_PROBLEM);
	if (locked_has_frozen())
		return fail(STATUS_FAILED, "%s", FROZEN_PROBLEM);
	if (moved->count)
		return fail(STATUS_FAILED, "%zu of its %zu binaries %s; the first: %s", moved->count, policy->binary_count,
			    moved->count == 1 ? "isn't what its path leads to" : "aren't what their paths lead to", moved->list[0]);
	return STATUS_DONE;
}

static enum status read_and_judge(struct patient *patient, struct policy *policy)
{
	_cleanup_moved_ struct moved moved = { 0 };

	TRY(live_read(&patient->kernel, policy));
	if (policy->mode == MODE_ENFORCE) {
		patient->gates = policy->switches[SWITCH_GATE] == ANSWER_YES;
		patient->drains = policy->switches[SWITCH_DRAIN] == ANSWER_YES;
	}
	TRY(moved_find(&patient->kernel, policy, &moved));
	return judge_policy(patient, policy, &moved);
}

enum health look_policy(struct patient *patient)
{
	_cleanup_policy_ struct policy policy = POLICY_INIT;
	enum status status;
	uint64_t left;

	if (!patient->loaded)
		return HEALTH_UNKNOWN;
	status = read_and_judge(patient, &policy);
	DETAIL(patient, "mode %s, default %s, %zu rule%s, generation %" PRIu64 "%s", ini_mode_words[policy.mode],
	       ini_verdict_words[policy.verdict], policy.rule_count, policy.rule_count == 1 ? "" : "s", policy.generation,
	       trial_now(&patient->kernel, &left) == TRIAL_IS_PENDING ? ", on trial: see sockaccept-ctl status" : "");
	return as_health(status);
}

/* A gate that isn't wanted may be attached: the policy on trial can end, and the one before it may want it. */
enum health look_gate(struct patient *patient)
{
	if (!patient->loaded)
		return HEALTH_UNKNOWN;
	DETAIL(patient,
	       patient->gates ? "attached: new connections of a denied listener are refused" : "the policy wants none, or isn't enforced");
	if (!patient->gates)
		return HEALTH_ABSENT;
	if (gate_is_attached())
		return HEALTH_WELL;
	return as_health(fail(STATUS_FAILED,
			      "the policy has gate = yes, and the gate isn't attached: a denied listener takes new connections into "
			      "its queue; run: sockaccept-ctl load"));
}
