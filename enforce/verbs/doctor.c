/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor: each prerequisite and each part on a line, and the remedy for what isn't well.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "enforce/base/output.h"
#include "enforce/base/unit_state.h"
#include "enforce/base/when.h"
#include "enforce/change/change_lock.h"
#include "enforce/change/last_good.h"
#include "enforce/change/policy_files.h"
#include "enforce/kernel/gate.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/live.h"
#include "enforce/kernel/locked.h"
#include "enforce/kernel/moved.h"
#include "enforce/kernel/prerequisites.h"
#include "enforce/kernel/self_test.h"
#include "enforce/kernel/trial_word.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/text.h"

enum health {
	HEALTH_WELL,
	HEALTH_ILL,
	HEALTH_UNKNOWN, /* can't be looked at while something else is ill */
	HEALTH_ABSENT,  /* isn't there, and needn't be */
};
static const char *const health_words[] = { "ok", "FAILED", "not tried", "none" };
static const char *const health_keys[] = { "ok", "failed", "unknown", "absent" };

#define DETAIL_MAX 600

struct patient {
	struct kernel kernel; /* open if `loaded` */
	bool loaded;
	bool unloaded; /* surely: there is nothing in its place */
	bool unfit;    /* something is ill without which no program can be loaded */
	bool gates, drains; /* a policy is enforced that says so */
	char detail[DETAIL_MAX]; /* what there is to say of a part that is well */
};

/* One part. What it says by fail() becomes the line's text. */
struct part {
	const char *key, *label;
	enum health (*look)(struct patient *patient);
};

#define DETAIL(patient, ...) snprintf((patient)->detail, sizeof((patient)->detail), __VA_ARGS__)

static enum health as_health(enum status status)
{
	return status == STATUS_DONE ? HEALTH_WELL : HEALTH_ILL;
}

/* ---------------------------------------------------------------------------------------------
 * The machine
 */

/* The health of what no program can be loaded without. */
static enum health as_needed(struct patient *patient, enum status status)
{
	patient->unfit = patient->unfit || status != STATUS_DONE;
	return as_health(status);
}

static enum health look_kernel(struct patient *patient)
{
	char release[65];
	bool old = prerequisite_is_old(release, sizeof(release));

	DETAIL(patient, "Linux %s", release);
	return as_health(old ? fail(STATUS_UNSUPPORTED, "Linux %s is too old; boot Linux 6.1 or newer", release) : STATUS_DONE);
}

static enum health look_btf(struct patient *patient)
{
	DETAIL(patient, "%s", KERNEL_BTF);
	return as_needed(patient, prerequisite_btf());
}

static enum health look_lsm(struct patient *patient)
{
	enum status status = prerequisite_lsm(patient->detail, sizeof(patient->detail));

	if (status != STATUS_DONE || *patient->detail)
		return as_needed(patient, status);
	DETAIL(patient, "securityfs isn't mounted, which has the list; that the program is called, the self-test shows");
	return HEALTH_ABSENT;
}

static enum health look_lockdown(struct patient *patient)
{
	return as_needed(patient, prerequisite_lockdown(patient->detail, sizeof(patient->detail)));
}

static enum health look_ftrace(struct patient *patient)
{
	const char *problem = prerequisites_not_enforcing();

	DETAIL(patient, "1");
	return as_health(problem ? fail(STATUS_FAILED, "%s", problem) : STATUS_DONE);
}

static enum health look_bpffs(struct patient *patient)
{
	DETAIL(patient, "%s", BPFFS);
	return as_health(prerequisite_bpffs());
}

static enum health look_capabilities(struct patient *patient)
{
	DETAIL(patient, "all that loading a policy takes");
	return as_needed(patient, privileges_check());
}

/* ---------------------------------------------------------------------------------------------
 * The kernel side
 */

static enum health look_pins(struct patient *patient)
{
	enum status status = kernel_open(&patient->kernel, !locked_or_frozen(), false);

	patient->loaded = status == STATUS_DONE;
	patient->unloaded = status == STATUS_NOT_LOADED;
	DETAIL(patient, "%d objects in %s, layout %d", KERNEL_OBJECTS, SOCKACCEPT_PIN_DIR, SOCKACCEPT_LAYOUT);
	return as_health(status);
}

/* How many events the next load would make room for, if the files are in order. */
static uint32_t wanted_events(void)
{
	struct diagnostics diagnostics = { 0 };
	struct policy policy;
	uint32_t events;

	policy_init(&policy);
	policy_files_read(NULL, true, false, &policy, &diagnostics);
	events = policy.events;
	diagnostics_clear(&diagnostics);
	policy_clear(&policy);
	return events;
}

static enum health look_load(struct patient *patient)
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

static enum health look_program(struct patient *patient)
{
	struct program_ids pinned = { 0 };
	struct link_ids linked = { 0 };

	if (!patient->loaded)
		return HEALTH_UNKNOWN;
	/* That of socket_accept comes last. */
	for (int object = FIRST_LINK; object < KERNEL_OBJECTS; object++) {
		char path[PIN_PATH_MAX];

		if (!kernel_link_ids(object, &linked) || !linked.program)
			return as_health(fail(STATUS_FAILED, "%s is missing, or attaches nothing; run: sockaccept-ctl unload, then load",
					      pin_path(object, path, sizeof(path))));
	}
	DETAIL(patient, "attached: socket_accept (id %" PRIu32 ") and %d more", linked.program, KERNEL_OBJECTS - FIRST_LINK - 1);
	/* When the policy is locked, nobody opens the program; nor can the link be another's. */
	if (locked_is_set())
		return HEALTH_WELL;
	program_ids(patient->kernel.fd[PROGRAM_SOCKET_ACCEPT], &pinned);
	if (pinned.id == linked.program)
		return HEALTH_WELL;
	return as_health(fail(STATUS_FAILED, "another program (id %" PRIu32 ") than sockaccept's (id %" PRIu32 ") is attached by the link in %s; run: "
			      "sockaccept-ctl unload, then load", linked.program, pinned.id, SOCKACCEPT_PIN_DIR));
}

static enum health look_self_test(struct patient *patient)
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

static enum health look_policy(struct patient *patient)
{
	struct moved moved = { 0 };
	struct policy policy;
	enum status status;
	uint64_t left;

	if (!patient->loaded)
		return HEALTH_UNKNOWN;
	policy_init(&policy);
	status = live_read(&patient->kernel, &policy);
	if (status == STATUS_DONE && policy.mode == MODE_ENFORCE) {
		patient->gates = policy.switches[SWITCH_GATE] == ANSWER_YES;
		patient->drains = policy.switches[SWITCH_DRAIN] == ANSWER_YES;
	}
	if (status == STATUS_DONE)
		status = moved_find(&patient->kernel, &policy, &moved);
	if (status == STATUS_DONE)
		status = judge_policy(patient, &policy, &moved);
	DETAIL(patient, "mode %s, default %s, %zu rule%s, generation %" PRIu64 "%s", ini_mode_words[policy.mode],
	       ini_verdict_words[policy.verdict], policy.rule_count, policy.rule_count == 1 ? "" : "s", policy.generation,
	       trial_now(&patient->kernel, &left) == TRIAL_IS_PENDING ? ", on trial: see sockaccept-ctl status" : "");
	moved_clear(&moved);
	policy_clear(&policy);
	return as_health(status);
}

/* Of one that isn't wanted, that it is attached does no harm: a policy on trial can end, and the one before it may want it. */
static enum health look_gate(struct patient *patient)
{
	if (!patient->loaded)
		return HEALTH_UNKNOWN;
	DETAIL(patient, patient->gates ? "attached: new connections of a denied listener are refused" :
	       "the policy wants none, or isn't enforced");
	if (!patient->gates)
		return HEALTH_ABSENT;
	if (gate_is_attached())
		return HEALTH_WELL;
	return as_health(fail(STATUS_FAILED, "the policy has gate = yes, and the gate isn't attached: a denied listener takes new connections into "
			      "its queue; run: sockaccept-ctl load"));
}

/* ---------------------------------------------------------------------------------------------
 * The units
 */

/* Of the unit that loads the policy, which is enabled, and was stopped or never started. */
static enum health look_stopped_unit(struct patient *patient, const char *unit)
{
	if (patient->loaded) {
		DETAIL(patient, "%s is stopped, and what is in force was loaded without it; it is enabled, so the next boot loads the policy",
		       unit);
		return HEALTH_WELL;
	}
	return as_health(fail(STATUS_FAILED, "%s is stopped, and no policy of its is in force; it is enabled, so the next boot loads the policy. "
			      "To load it now: systemctl start %s", unit, unit));
}

enum need {
	NEED_NONE, /* it may be absent */
	NEED_RUNS,
	NEED_LOADS, /* it loads the policy, and may be stopped where that was done without it */
};

/* `purpose`: what is not done without it. */
static enum health look_unit(struct patient *patient, const char *unit, const char *purpose, enum need need)
{
	struct unit_state state;
	int error;

	DETAIL(patient, "this machine wasn't started by systemd");
	if (!systemd_is_running())
		return HEALTH_ABSENT;
	error = unit_state(unit, &state);
	if (error)
		return as_health(fail(STATUS_FAILED, "can't ask systemctl about %s: %s", unit, strerror(-error)));
	DETAIL(patient, "%s is %s and %s", unit, state.active, state.file);
	if (!strcmp(state.active, "failed"))
		return as_health(fail(STATUS_FAILED, "%s has failed (%s); see: journalctl -b -u %s, mend it, then run: systemctl restart %s",
				      unit, state.result, unit, unit));
	if (!strcmp(state.active, "active") && !strcmp(state.file, "enabled"))
		return HEALTH_WELL;
	if (strcmp(state.load, "loaded") != 0)
		DETAIL(patient, "%s is %s: %s. For that: %s", unit, state.load, purpose,
		       strcmp(state.load, "masked") ? "install the package, or make install" : "systemctl unmask it, then enable it");
	else
		DETAIL(patient, "%s is %s: %s. For that: systemctl enable --now %s", unit,
		       strcmp(state.file, "enabled") ? state.file : state.active, purpose, unit);
	if (need == NEED_LOADS && !strcmp(state.file, "enabled") && !strcmp(state.active, "inactive"))
		return look_stopped_unit(patient, unit);
	return need == NEED_NONE ? HEALTH_ABSENT : as_health(fail(STATUS_FAILED, "%s", patient->detail));
}

static enum health look_policy_unit(struct patient *patient)
{
	return look_unit(patient, "sockaccept.service", "no policy is loaded at boot", NEED_LOADS);
}

static enum health look_log_unit(struct patient *patient)
{
	return look_unit(patient, "sockaccept-audit.service", "no lasting log is kept", NEED_NONE);
}

/* True if somebody drains, as the kernel side knows it: of who has just begun, it hears within half a second. */
static bool is_promised(const struct state *state)
{
	for (int i = 0; i < 10 && state->drained_until <= (uint64_t)when_now().boot; i++)
		usleep(100000);
	return state->drained_until > (uint64_t)when_now().boot;
}

static enum health look_drain_unit(struct patient *patient)
{
	static const char purpose[] = "what comes to wait on a denied listener is reset by the next change of the policy only";
	/* Only then is anything promised. */
	bool denied = patient->drains && patient->kernel.state->gates;
	bool promised = denied && is_promised(patient->kernel.state);

	if (systemd_is_running())
		return look_unit(patient, "sockaccept-drain.service", purpose, patient->drains && !promised ? NEED_RUNS : NEED_NONE);
	DETAIL(patient, promised ? "somebody drains denied listeners" : "this machine wasn't started by systemd");
	if (promised)
		return HEALTH_WELL;
	return denied ? as_health(fail(STATUS_FAILED, "a listener is denied, and nobody drains it: %s. For that, let this run: sockaccept-ctl "
				       "drain", purpose)) : HEALTH_ABSENT;
}

static const struct part parts[] = {
	{ "kernel", "kernel", look_kernel },
	{ "btf", "BTF", look_btf },
	{ "lsm", "lsm=", look_lsm },
	{ "lockdown", "lockdown", look_lockdown },
	{ "ftrace_enabled", "ftrace_enabled", look_ftrace },
	{ "bpffs", "bpffs", look_bpffs },
	{ "capabilities", "capabilities", look_capabilities },
	{ "pins", "pins", look_pins },
	{ "load", "load", look_load },
	{ "program", "program", look_program },
	{ "policy", "policy", look_policy },
	{ "gate", "gate", look_gate },
	{ "self_test", "self-test", look_self_test },
	{ "policy_unit", "policy unit", look_policy_unit },
	{ "log_unit", "log unit", look_log_unit },
	{ "drain_unit", "drain unit", look_drain_unit },
};

/* ---------------------------------------------------------------------------------------------
 * The findings
 */

static void print_finding(struct output *output, const struct part *part, enum health health, const char *detail)
{
	_cleanup_free_ char *text = text_format("%s%s%s", health_words[health], detail ? ": " : "", detail ? detail : "");

	output_open_object(output, NULL);
	output_text(output, "name", NULL, part->key);
	output_text(output, "health", NULL, health_keys[health]);
	output_text(output, "detail", NULL, detail);
	output_close(output);
	output_coloured(output, NULL, part->label, text, health == HEALTH_ILL ? COLOUR_BAD : COLOUR_NONE);
}

/* Looks at one part and prints what was found. */
static enum health examine(struct output *output, const struct part *part, struct patient *patient)
{
	_cleanup_free_ char *message = NULL;
	enum health health;

	patient->detail[0] = '\0';
	messages_begin();
	health = part->look(patient);
	message = messages_end();
	print_finding(output, part, health,
		      health == HEALTH_UNKNOWN ? NULL : health == HEALTH_ILL && message ? message : patient->detail);
	return health;
}

static void print_result(struct output *output, size_t ill)
{
	char text[60];

	output_flag(output, "well", NULL, !ill);
	snprintf(text, sizeof(text), "%zu part%s not well", ill, ill == 1 ? " is" : "s are");
	output_coloured(output, NULL, "", ill ? text : "all is well", ill ? COLOUR_BAD : COLOUR_GOOD);
}

enum status verb_doctor(const struct invocation *invocation)
{
	struct patient patient = { .kernel = KERNEL_INIT };
	_cleanup_close_ int lock = -1;
	struct output output;
	size_t ill = 0;

	if (!privileges_are_some())
		return fail(STATUS_NOT_PERMITTED, "`doctor` is for root: sudo sockaccept-ctl doctor");
	if (change_lock_take(&lock) != STATUS_DONE)
		return STATUS_FAILED;
	output_start(&output, stdout, invocation->given[OPTION_JSON]);
	output_open_object(&output, NULL);
	output_number(&output, "schema", NULL, 1);
	output_open_array(&output, "parts");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		ill += examine(&output, &parts[i], &patient) == HEALTH_ILL;
		/* Others needn't wait for systemd. */
		if (parts[i].look == look_self_test) {
			close(lock);
			lock = -1;
		}
	}
	output_close(&output);
	print_result(&output, ill);
	output_close(&output);
	output_end(&output);
	kernel_close(&patient.kernel);
	return ill ? STATUS_FAILED : STATUS_DONE;
}
