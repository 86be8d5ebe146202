/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `doctor` looks at in systemd: the units that load the policy, keep the log and drain.
 */
#include <string.h>
#include <unistd.h>

#include "enforce/base/unit_state.h"
#include "enforce/base/when.h"
#include "enforce/verbs/doctor.h"

/* Judges the unit that loads the policy where it is enabled, and was stopped or never started. */
static enum health look_stopped_unit(struct patient *patient, const char *unit)
{
	if (patient->loaded) {
		DETAIL(patient,
		       "%s is stopped, and what is in force was loaded without it; it is enabled, so the next boot loads the policy", unit);
		return HEALTH_WELL;
	}
	return as_health(fail(STATUS_FAILED,
			      "%s is stopped, and no policy of its is in force; it is enabled, so the next boot loads the policy. "
			      "To load it now: systemctl start %s",
			      unit, unit));
}

enum need {
	NEED_NONE, /* it may be absent */
	NEED_RUNS,
	NEED_LOADS, /* it loads the policy, and may be stopped if another way has loaded it */
};

/* `purpose` is what is not done without the unit. */
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
		return as_health(fail(STATUS_FAILED,
				      "%s has failed (%s); see: journalctl -b -u %s, mend it, then run: systemctl restart %s", unit,
				      state.result, unit, unit));
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

enum health look_policy_unit(struct patient *patient)
{
	return look_unit(patient, "sockaccept.service", "no policy is loaded at boot", NEED_LOADS);
}

enum health look_log_unit(struct patient *patient)
{
	return look_unit(patient, "sockaccept-audit.service", "no lasting log is kept", NEED_NONE);
}

/* Returns true if the kernel side knows of a process that drains. One that has just begun tells it within half a second. */
static bool is_promised(const struct state *state)
{
	for (int i = 0; i < 10 && state->drained_until <= (uint64_t)when_now().boot; i++)
		usleep(100000);
	return state->drained_until > (uint64_t)when_now().boot;
}

enum health look_drain_unit(struct patient *patient)
{
	static const char purpose[] = "what comes to wait on a denied listener is reset by the next change of the policy only";
	/* A promise is made only while a listener is denied. */
	bool denied = patient->drains && patient->kernel.state->gates;
	bool promised = denied && is_promised(patient->kernel.state);

	if (systemd_is_running())
		return look_unit(patient, "sockaccept-drain.service", purpose, patient->drains && !promised ? NEED_RUNS : NEED_NONE);
	DETAIL(patient, promised ? "somebody drains denied listeners" : "this machine wasn't started by systemd");
	if (promised)
		return HEALTH_WELL;
	return denied ? as_health(fail(STATUS_FAILED,
				       "a listener is denied, and nobody drains it: %s. For that, let this run: sockaccept-ctl "
				       "drain",
				       purpose)) :
			HEALTH_ABSENT;
}
