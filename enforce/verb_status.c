/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * status: is anything enforced, what, and how much was decided.
 */
#include <inttypes.h>
#include <stdio.h>

#include "enforce/guard.h"
#include "enforce/kernel.h"
#include "enforce/last_good.h"
#include "enforce/live.h"
#include "enforce/moved.h"
#include "enforce/output.h"
#include "enforce/ports.h"
#include "enforce/prerequisites.h"
#include "enforce/trial.h"
#include "enforce/verb.h"
#include "enforce/when.h"
#include "policy/ini.h"

/* One line for the verdict; in JSON an object. */
static void print_tally(struct output *output, const char *key, const char *label, const struct tally *live)
{
	const struct tally now = tally_read(live), *tally = &now;
	char text[80];

	output_open_object(output, key);
	output_number(output, "connections", NULL, tally->connections);
	output_number(output, "attempts", NULL, tally_attempts(tally));
	output_close(output);
	snprintf(text, sizeof(text), "%" PRIu64 " connections, %" PRIu64 " attempts", (uint64_t)tally->connections,
		 tally_attempts(tally));
	output_text(output, NULL, label, text);
}

static void print_enforcing(struct output *output, const struct policy *policy, const char *problem)
{
	bool enforcing = !problem && policy->mode == MODE_ENFORCE;

	output_flag(output, "enforcing", NULL, enforcing);
	if (problem)
		output_coloured(output, NULL, "enforcing", "NOT ENFORCING", COLOUR_BAD);
	else
		output_coloured(output, NULL, "enforcing", enforcing ? "yes" : "no: mode is permissive",
				enforcing ? COLOUR_GOOD : COLOUR_BAD);
}

static void print_policy(struct output *output, const struct policy *policy)
{
	output_text(output, "mode", "mode", ini_mode_words[policy->mode]);
	output_text(output, "default", "default", ini_verdict_words[policy->verdict]);
	output_number(output, "generation", "generation", policy->generation);
	output_number(output, "rules", "rules", policy->rule_count);
}

/* Of a policy on trial. */
static void print_trial(struct output *output, const struct kernel *kernel)
{
	uint64_t left;
	enum trial trial = trial_now(kernel, &left);
	char text[100];

	output_text(output, "trial", NULL, trial == TRIAL_IS_NONE ? NULL : trial == TRIAL_IS_PENDING ? "pending" : "over");
	if (trial == TRIAL_IS_PENDING) {
		output_number(output, "confirm_within", NULL, seconds_up(left));
		snprintf(text, sizeof(text), "for %" PRIu64 " s more; it stays with: sockaccept-ctl confirm", seconds_up(left));
		output_coloured(output, NULL, "on trial", text, COLOUR_BAD);
	} else if (trial == TRIAL_IS_OVER) {
		output_text(output, NULL, "on trial", "over: the policy wasn't confirmed, and the one before it is in force again");
	}
}

static void print_lock(struct output *output)
{
	bool locked = guard_is_there();
	char text[80];

	output_flag(output, "locked", NULL, locked);
	if (!locked)
		return;
	output_number(output, "attempts_refused", NULL, guard_refusals());
	snprintf(text, sizeof(text), "until the machine stops; %" PRIu64 " attempts to change it were refused", guard_refusals());
	output_text(output, NULL, "locked", text);
}

static void print_counts(struct output *output, const struct state *state)
{
	output_open_object(output, "decisions");
	print_tally(output, "allow", "allowed", &state->decisions[VERDICT_ALLOW]);
	print_tally(output, "deny", "denied", &state->decisions[VERDICT_DENY]);
	output_close(output);
	output_number(output, "unmediated", "unmediated", state->unmediated);
	output_number(output, "prctl_refused", state->forgeries ? "forgeries" : NULL, state->forgeries);
	output_number(output, "refused_earlier", NULL, state->refused_earlier);
	output_number(output, "accept_failed", state->failed ? "failed" : NULL, state->failed);
	output_number(output, "events_lost", NULL, state->buffer[VERDICT_ALLOW].lost + state->buffer[VERDICT_DENY].lost);
}

/* Of rules that don't stand any more for what their paths lead to, so many are named. */
#define MOVED_SHOWN 20

static void print_problem(struct output *output, const char *problem)
{
	output_text(output, NULL, NULL, problem);
	output_text(output, NULL, "problem", problem);
}

static void print_moved(struct output *output, const struct moved *moved)
{
	for (size_t i = 0; i < moved->count && i < MOVED_SHOWN; i++)
		print_problem(output, moved->list[i]);
	if (moved->count > MOVED_SHOWN) {
		char text[100];

		snprintf(text, sizeof(text), "the paths of %zu more binaries lead elsewhere; run: sockaccept-ctl refresh",
			 moved->count - MOVED_SHOWN);
		print_problem(output, text);
	}
}

/* Returns whether there is any. `not_enforcing`: why the policy isn't; NULL: it is. */
static bool print_problems(struct output *output, const char *not_enforcing, const struct state *state, const struct moved *moved)
{
	const char *const problems[] = {
		not_enforcing,
		state->last_good ? LAST_GOOD_PROBLEM : NULL,
		guard_has_frozen() ? FROZEN_PROBLEM : NULL,
	};
	bool any = moved->count;

	output_open_array(output, "problems");
	for (size_t i = 0; i < sizeof(problems) / sizeof(problems[0]); i++) {
		if (!problems[i])
			continue;
		print_problem(output, problems[i]);
		any = true;
	}
	print_moved(output, moved);
	output_close(output);
	return any;
}

static enum status print_not_loaded(const struct invocation *invocation)
{
	struct output output;

	output_start(&output, stdout, invocation->given[OPTION_JSON]);
	output_open_object(&output, NULL);
	output_number(&output, "schema", NULL, 1);
	output_flag(&output, "loaded", NULL, false);
	output_close(&output);
	output_coloured(&output, NULL, "enforcing", "no: not loaded; run: sockaccept-ctl load [FILE]", COLOUR_BAD);
	output_end(&output);
	return STATUS_NOT_LOADED;
}

enum status verb_status(const struct invocation *invocation)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	enum status status = kernel_open(&kernel, false, true);
	const char *problem = prerequisites_not_enforcing();
	struct moved moved = { 0 };
	struct output output;
	struct policy policy;

	if (status == STATUS_NOT_LOADED)
		return print_not_loaded(invocation);
	if (status != STATUS_DONE)
		return status;
	policy_init(&policy);
	status = live_read(&kernel, &policy);
	if (status == STATUS_DONE)
		status = moved_find(&kernel, &policy, &moved);
	if (status != STATUS_DONE) {
		policy_clear(&policy);
		moved_clear(&moved);
		return status;
	}
	output_start(&output, stdout, invocation->given[OPTION_JSON]);
	output_open_object(&output, NULL);
	output_number(&output, "schema", NULL, 1);
	output_flag(&output, "loaded", NULL, true);
	print_enforcing(&output, &policy, problem);
	print_policy(&output, &policy);
	print_trial(&output, &kernel);
	print_lock(&output);
	print_counts(&output, kernel.state);
	status = print_problems(&output, problem, kernel.state, &moved) ? STATUS_FAILED : STATUS_DONE;
	output_close(&output);
	output_end(&output);
	policy_clear(&policy);
	moved_clear(&moved);
	return status;
}
