/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts that `doctor` looks at: what it takes to know of the machine, of the kernel side and of the units, and what was found out so
 * far.
 */
#ifndef SOCKACCEPT_DOCTOR_H
#define SOCKACCEPT_DOCTOR_H

#include <stdbool.h>
#include <stdio.h>

#include "enforce/kernel/kernel.h"

enum health {
	HEALTH_WELL,
	HEALTH_ILL,
	HEALTH_UNKNOWN, /* can't be looked at while something else is ill */
	HEALTH_ABSENT,  /* isn't there, and needn't be */
};

#define DETAIL_MAX 600

/* What earlier parts found out, for the later ones. */
struct patient {
	struct kernel kernel; /* open if `loaded` */
	bool loaded;
	bool unloaded;           /* nothing is loaded, for certain; neither is set if that can't be told */
	bool unfit;              /* something is ill without which no program can be loaded */
	bool gates, drains;      /* a policy is enforced that has gate = yes, drain = yes */
	char detail[DETAIL_MAX]; /* what there is to say of a part that is well */
};

/* Sets the detail of the part that is being looked at. */
#define DETAIL(patient, ...) snprintf((patient)->detail, sizeof((patient)->detail), __VA_ARGS__)

/* Returns HEALTH_WELL for STATUS_DONE, and HEALTH_ILL for anything else. */
static inline enum health as_health(enum status status)
{
	return status == STATUS_DONE ? HEALTH_WELL : HEALTH_ILL;
}

/*
 * Each looks at one part, in the order of the table in doctor.c, and returns its health. If it is HEALTH_ILL, it has said why by fail();
 * else patient->detail has what there is to say, unless it is HEALTH_UNKNOWN.
 */

/* The machine: doctor_machine.c. */
enum health look_kernel(struct patient *patient);
enum health look_btf(struct patient *patient);
enum health look_lsm(struct patient *patient);
enum health look_lockdown(struct patient *patient);
enum health look_ftrace(struct patient *patient);
enum health look_bpffs(struct patient *patient);
enum health look_capabilities(struct patient *patient);

/* The kernel side: doctor_kernel.c. */
enum health look_pins(struct patient *patient);
enum health look_load(struct patient *patient);
enum health look_program(struct patient *patient);
enum health look_self_test(struct patient *patient);
enum health look_policy(struct patient *patient);
enum health look_gate(struct patient *patient);

/* The units of systemd: doctor_units.c. */
enum health look_policy_unit(struct patient *patient);
enum health look_log_unit(struct patient *patient);
enum health look_drain_unit(struct patient *patient);

#endif
