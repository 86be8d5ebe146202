/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * status: prints whether anything is enforced, what, and how much was decided.
 */
#include <inttypes.h>
#include <stdio.h>

#include "enforce/base/output.h"
#include "enforce/base/when.h"
#include "enforce/change/boot_files.h"
#include "enforce/change/last_good.h"
#include "enforce/kernel/hidden.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/live.h"
#include "enforce/kernel/locked.h"
#include "enforce/kernel/moved.h"
#include "enforce/kernel/ports.h"
#include "enforce/kernel/prerequisites.h"
#include "enforce/kernel/trial_word.h"
#include "enforce/kernel/windows.h"
#include "enforce/records/spinning_print.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"
#include "policy/ini.h"

static void print_allowed(struct output *output, const struct tally *live)
{
	const struct tally tally = tally_read(live);
	char text[80];

	output_open_object(output, "allow");
	output_number(output, "connections", NULL, tally.connections);
	output_number(output, "attempts", NULL, tally_attempts(&tally));
	output_close(output);
	snprintf(text, sizeof(text), "%" PRIu64 " connections, %" PRIu64 " attempts", (uint64_t)tally.connections, tally_attempts(&tally));
	output_text(output, NULL, "allowed", text);
}

/*
 * Returns how many denials were repeats: each denial has an event, or is a repeat and counted on another's event. Where something else than
 * a decision has events too, there are at least that many repeats.
 */
static uint64_t count_repeats(const struct state *state)
{
	const struct buffer_state *events = &state->buffer[VERDICT_DENY];
	uint64_t denials = state->decisions[VERDICT_DENY].decisions, told = events->made + events->lost;

	return denials > told ? denials - told : 0;
}

/*
 * Most servers that are refused try again at once and for ever, so one connection that waits makes many calls. That is why the line counts
 * "calls with a connection waiting" once there were repeats.
 */
static void print_denied(struct output *output, const struct state *state, uint64_t repeats)
{
	const struct tally tally = tally_read(&state->decisions[VERDICT_DENY]);
	char text[160];

	output_open_object(output, "deny");
	output_number(output, "connections", NULL, tally.connections);
	output_number(output, "attempts", NULL, tally_attempts(&tally));
	output_close(output);
	if (repeats)
		snprintf(text, sizeof(text),
			 "%" PRIu64 " calls with a connection waiting, %" PRIu64 " attempts; of them all, %" PRIu64 " were repeats",
			 (uint64_t)tally.connections, tally_attempts(&tally), repeats);
	else
		snprintf(text, sizeof(text), "%" PRIu64 " connections, %" PRIu64 " attempts", (uint64_t)tally.connections,
			 tally_attempts(&tally));
	output_text(output, NULL, "denied", text);
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
	static const char *const switch_names[SWITCHES] = { "judge_listen", "gate", "drain" };

	output_text(output, "mode", "mode", ini_mode_words[policy->mode]);
	output_text(output, "default", "default", ini_verdict_words[policy->verdict]);
	for (unsigned i = 0; i < SWITCHES; i++) {
		output_flag(output, switch_names[i], NULL, policy->switches[i] == ANSWER_YES);
		output_text(output, NULL, ini_switch_words[i], ini_answer_words[policy->switches[i]]);
	}
	output_number(output, "generation", "generation", policy->generation);
	output_number(output, "rules", "rules", policy->rule_count);
}

/* Prints where the policy comes from, and whether the files of the boot have the same. */
static void print_source(struct output *output, const struct policy *policy)
{
	enum boot_files files = boot_files_compare(policy);
	const char *next = boot_files_text(files), *source = *policy->source ? policy->source : NULL;

	output_text(output, "source", source ? "source" : NULL, source);
	output_flag(output, "files_differ", NULL, files != BOOT_FILES_SAME);
	if (next)
		output_text(output, NULL, "next boot", next);
}

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
	bool locked = locked_is_set();
	char text[80];

	output_flag(output, "locked", NULL, locked);
	if (!locked)
		return;
	output_number(output, "attempts_refused", NULL, locked_refusals());
	snprintf(text, sizeof(text), "until the machine stops; %" PRIu64 " attempts to change it were refused", locked_refusals());
	output_text(output, NULL, "locked", text);
}

static void print_counts(struct output *output, const struct state *state)
{
	uint64_t repeats = count_repeats(state);

	output_open_object(output, "decisions");
	print_allowed(output, &state->decisions[VERDICT_ALLOW]);
	print_denied(output, state, repeats);
	output_close(output);
	output_number(output, "repeats", NULL, repeats);
	output_number(output, "unmediated", "unmediated", state->unmediated);
	output_number(output, "listens_denied", state->listens ? "listens denied" : NULL, state->listens);
	output_number(output, "gated", state->gated ? "gated" : NULL, state->gated);
	output_number(output, "drained", state->drained ? "drained" : NULL, state->drained);
	output_number(output, "moves_refused", state->moves ? "moved" : NULL, state->moves);
	output_number(output, "prctl_refused", state->forgeries ? "forgeries" : NULL, state->forgeries);
	output_number(output, "refused_earlier", NULL, state->refused_earlier);
	output_number(output, "accept_failed", state->failed ? "failed" : NULL, state->failed);
	output_number(output, "events_lost", NULL, state->buffer[VERDICT_ALLOW].lost + state->buffer[VERDICT_DENY].lost);
}

/* Name at most this many paths that lead elsewhere by now. */
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

/* Returns true if there is a problem. `not_enforcing` is why the policy isn't enforced, or NULL. */
static bool print_problems(struct output *output, const char *not_enforcing, const struct state *state, const struct moved *moved)
{
	const char *const problems[] = {
		not_enforcing,
		state->last_good ? LAST_GOOD_PROBLEM : NULL,
		locked_has_frozen() ? FROZEN_PROBLEM : NULL,
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

/* A rule that waits is no problem of this machine's, but its administrator has to know. */
static void print_waiting(struct output *output, const struct policy *policy, const struct waiting *waiting)
{
	size_t lines = 0;
	char text[400];

	output_open_array(output, "waiting");
	for (size_t i = 0; i < waiting->count; i++) {
		const struct waiting_entry *entry = &waiting->list[i];
		const char *path = policy->binaries[entry->binary].path;

		output_open_object(output, NULL);
		output_text(output, "binary", NULL, path);
		output_text(output, "why", NULL, entry->why);
		output_close(output);
		/* It is among the problems already. */
		if (entry->lost || lines++ >= WAITING_SHOWN)
			continue;
		snprintf(text, sizeof(text), "%s: %s", path, entry->why);
		output_text(output, NULL, "waits", text);
	}
	output_close(output);
	if (lines > WAITING_SHOWN) {
		snprintf(text, sizeof(text), "%zu more; see: sockaccept-ctl status --json", lines - WAITING_SHOWN);
		output_text(output, NULL, "waits", text);
	}
}

static enum status print_not_loaded(const struct invocation *invocation)
{
	_cleanup_free_ char *missing = prerequisites_problem();
	struct output output;

	output_start(&output, stdout, invocation->given[OPTION_JSON]);
	output_open_object(&output, NULL);
	output_number(&output, "schema", NULL, 1);
	output_flag(&output, "loaded", NULL, false);
	output_coloured(&output, NULL, "enforcing",
			missing ? "no: not loaded, and nothing can be loaded" : "no: not loaded; run: sockaccept-ctl load [FILE]",
			COLOUR_BAD);
	if (missing) {
		output_open_array(&output, "problems");
		print_problem(&output, missing);
		output_close(&output);
	}
	output_close(&output);
	output_end(&output);
	return STATUS_NOT_LOADED;
}

/* Prints what is known of a policy whose pins can't be reached. */
static enum status print_hidden(const struct invocation *invocation, const struct hidden *hidden, const char *not_enforcing)
{
	struct policy policy = {
		.mode = hidden->mode, .verdict = hidden->verdict, .generation = hidden->generation, .rule_count = hidden->rules
	};
	_cleanup_free_ char *problem = hidden_problem();
	struct output output;

	policy_set_flags(&policy, hidden->flags);
	output_start(&output, stdout, invocation->given[OPTION_JSON]);
	output_open_object(&output, NULL);
	output_number(&output, "schema", NULL, 1);
	output_flag(&output, "loaded", NULL, true);
	output_flag(&output, "hidden", NULL, true);
	if (hidden->known) {
		print_enforcing(&output, &policy, not_enforcing);
		print_policy(&output, &policy);
	} else {
		output_null(&output, "enforcing");
		output_coloured(&output, NULL, "enforcing", "not known: a locked policy is in force", COLOUR_BAD);
	}
	output_open_array(&output, "problems");
	if (not_enforcing)
		print_problem(&output, not_enforcing);
	print_problem(&output, problem);
	output_close(&output);
	output_close(&output);
	output_end(&output);
	return STATUS_FAILED;
}

static enum status print_loaded(const struct invocation *invocation, const struct kernel *kernel, const char *not_enforcing)
{
	_cleanup_policy_ struct policy policy = POLICY_INIT;
	_cleanup_moved_ struct moved moved = { 0 };
	struct output output;
	bool problems;

	TRY(live_read(kernel, &policy));
	TRY(moved_find(kernel, &policy, &moved));
	windows_close(kernel, WINDOWS_CURRENT);
	output_start(&output, stdout, invocation->given[OPTION_JSON]);
	output_open_object(&output, NULL);
	output_number(&output, "schema", NULL, 1);
	output_flag(&output, "loaded", NULL, true);
	print_enforcing(&output, &policy, not_enforcing);
	print_policy(&output, &policy);
	print_source(&output, &policy);
	print_trial(&output, kernel);
	print_lock(&output);
	print_counts(&output, kernel->state);
	spinning_print(&output, kernel, count_repeats(kernel->state));
	print_waiting(&output, &policy, &moved.waiting);
	problems = print_problems(&output, not_enforcing, kernel->state, &moved);
	output_close(&output);
	output_end(&output);
	return problems ? STATUS_FAILED : STATUS_DONE;
}

enum status verb_status(const struct invocation *invocation)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	const struct hidden *hidden = hidden_found();
	enum status status = hidden ? STATUS_FAILED : kernel_open(&kernel, false, true);
	const char *not_enforcing = prerequisites_not_enforcing();

	if (hidden)
		return print_hidden(invocation, hidden, not_enforcing);
	if (status == STATUS_NOT_LOADED)
		return print_not_loaded(invocation);
	TRY(status);
	return print_loaded(invocation, &kernel, not_enforcing);
}
