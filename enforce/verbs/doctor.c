/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor: prints each prerequisite and each part on a line, with the remedy for what isn't well.
 */
#include <stdio.h>
#include <unistd.h>

#include "enforce/base/output.h"
#include "enforce/base/privileges.h"
#include "enforce/change/change_lock.h"
#include "enforce/verbs/doctor.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"
#include "policy/text.h"

static const char *const health_words[] = { "ok", "FAILED", "not tried", "none" };
static const char *const health_keys[] = { "ok", "failed", "unknown", "absent" };

/* One part. What its look() prints by fail() becomes the line's text. */
struct part {
	const char *key, *label;
	enum health (*look)(struct patient *patient);
};

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
	print_finding(output, part, health, health == HEALTH_UNKNOWN ? NULL : health == HEALTH_ILL && message ? message : patient->detail);
	return health;
}

static void print_result(struct output *output, size_t ill)
{
	char text[60];

	output_flag(output, "well", NULL, !ill);
	snprintf(text, sizeof(text), "%zu check%s failed", ill, ill == 1 ? "" : "s");
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
		/* Other commands needn't wait for systemd. */
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
