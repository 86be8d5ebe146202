/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints the counters of the kernel side, the policy, the log and the programs.
 */
#include "enforce/records/metrics.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "enforce/base/replace.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/live.h"
#include "enforce/kernel/locked.h"
#include "enforce/kernel/moved.h"
#include "enforce/kernel/ports.h"
#include "enforce/kernel/prerequisites.h"
#include "enforce/records/log_seek.h"
#include "enforce/records/metrics_labels.h"
#include "policy/cleanup.h"

#define PREFIX "sockaccept_"

static void begin(FILE *stream, const char *name, const char *type, const char *help)
{
	fprintf(stream, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

static void sample(FILE *stream, const char *name, const char *labels, uint64_t value)
{
	fprintf(stream, labels ? PREFIX "%s{%s} %" PRIu64 "\n" : PREFIX "%s%s %" PRIu64 "\n", name, labels ? labels : "", value);
}

static void gauge(FILE *stream, const char *name, const char *help, uint64_t value)
{
	begin(stream, name, "gauge", help);
	sample(stream, name, NULL, value);
}

static void counter(FILE *stream, const char *name, const char *help, uint64_t value)
{
	begin(stream, name, "counter", help);
	sample(stream, name, NULL, value);
}

static void by_verdict(FILE *stream, const char *name, const char *type, const char *help, const uint64_t value[VERDICTS])
{
	begin(stream, name, type, help);
	for (int verdict = 0; verdict < VERDICTS; verdict++)
		sample(stream, name, metrics_verdict_labels[verdict], value[verdict]);
}

/* ---------------------------------------------------------------------------------------------
 * Decisions and events
 */

static void print_decisions(FILE *stream, const struct state *state)
{
	uint64_t connections[VERDICTS], attempts[VERDICTS];

	for (int verdict = 0; verdict < VERDICTS; verdict++) {
		struct tally tally = tally_read(&state->decisions[verdict]);

		connections[verdict] = tally.connections;
		attempts[verdict] = tally_attempts(&tally);
	}
	by_verdict(stream, "connections_total", "counter", "Connections accepted, and denied with one waiting.", connections);
	by_verdict(stream, "attempts_total", "counter", "Decisions that no connection came of.", attempts);
	counter(stream, "unmediated_total", "Calls on sockets that rules aren't about, such as AF_UNIX.", state->unmediated);
	counter(stream, "refused_earlier_total", "Calls that another LSM had refused.", state->refused_earlier);
	counter(stream, "accept_failed_total", "Calls that failed when they had taken a connection.", state->failed);
	counter(stream, "listens_denied_total", "Calls of listen(2) that the policy denies.", state->listens);
	counter(stream, "gated_total", "Requests for a new connection of a denied listener, refused.", state->gated);
	counter(stream, "drained_total", "Connections taken out of the queue of a denied listener, and reset.", state->drained);
	counter(stream, "moves_refused_total", "Calls of listen(2) that would have moved a listener to another port, refused.",
		state->moves);
	counter(stream, "prctl_refused_total", "Attempts to forge an identity, refused.", state->forgeries);
}

static void print_events(FILE *stream, const struct kernel *kernel)
{
	uint64_t made[VERDICTS], lost[VERDICTS], gone[VERDICTS], room = kernel_events(kernel);

	for (int verdict = 0; verdict < VERDICTS; verdict++) {
		made[verdict] = kernel->state->buffer[verdict].made;
		lost[verdict] = kernel->state->buffer[verdict].lost;
		gone[verdict] = made[verdict] > room ? made[verdict] - room : 0;
	}
	by_verdict(stream, "events_total", "counter", "Events written to the buffers.", made);
	by_verdict(stream, "events_lost_total", "counter", "Connections and denials that no event could be written of.", lost);
	by_verdict(stream, "events_overwritten_total", "counter", "Events that are in the buffers no more.", gone);
	gauge(stream, "events_room", "Events that each buffer holds.", room);
}

/*
 * Prints how far the log is behind. Prints nothing if there is no log, or if its end is of another kernel side: then no daemon has written
 * this one's events.
 */
static void print_log(FILE *stream, const struct kernel *kernel, const char *path)
{
	const struct log_source now = log_source_of(kernel_instance());
	struct log_source end = { 0 };
	struct log_reader reader;
	uint64_t behind[VERDICTS];
	int error = log_open(&reader, path ? path : LOG_PATH);

	if (!error)
		error = log_end(&reader, &end);
	if (!error && log_same_source(&end, &now)) {
		for (int verdict = 0; verdict < VERDICTS; verdict++)
			behind[verdict] = kernel->state->buffer[verdict].made > end.mark.dealt[verdict] ?
						  kernel->state->buffer[verdict].made - end.mark.dealt[verdict] :
						  0;
		by_verdict(stream, "log_missed_total", "counter", "Events that were gone before they came to the log.", end.missed);
		by_verdict(stream, "log_behind", "gauge", "Events that haven't come to the log yet.", behind);
	}
	log_close(&reader);
}

/* ---------------------------------------------------------------------------------------------
 * Policy
 */

static void print_rules(FILE *stream, const struct kernel *kernel, const struct policy *policy)
{
	if (!policy->rule_count)
		return;
	begin(stream, "rule_hits_total", "counter", "Decisions by rule, since it was made.");
	for (size_t i = 0; i < policy->rule_count; i++) {
		_cleanup_free_ char *labels = metrics_rule_labels(policy, &policy->rules[i]);
		struct rule_counter hits = { 0 };

		bpf_map_lookup_elem(kernel->fd[MAP_RULE_COUNTERS], &policy->rules[i].counter, &hits);
		sample(stream, "rule_hits_total", labels, hits.hits);
	}
}

/* Returns how many paths of rules lead elsewhere; -1 if that can't be found out. */
static int64_t count_moved(const struct kernel *kernel, const struct policy *policy)
{
	struct moved moved = { .seen_only = true };
	enum status status;
	int64_t count;

	messages_begin();
	status = moved_find(kernel, policy, &moved);
	free(messages_end());
	count = status == STATUS_DONE ? (int64_t)moved.count : -1;
	moved_clear(&moved);
	return count;
}

/* Prints how many problems `status` names. */
static void print_problems(FILE *stream, const struct kernel *kernel, int64_t moved)
{
	if (moved >= 0)
		gauge(stream, "problems", "What status calls a problem, such as a rule whose path leads elsewhere by now.",
		      (uint64_t)moved + !!prerequisites_not_enforcing() + !!kernel->state->last_good + locked_has_frozen());
}

static void print_policy(FILE *stream, const struct policy *policy)
{
	bool well = !prerequisites_not_enforcing();

	gauge(stream, "enforcing", "Whether denials are returned to the callers.", well && policy->mode == MODE_ENFORCE);
	gauge(stream, "called", "Whether the kernel calls the program: not with kernel.ftrace_enabled=0 on some.", well);
	gauge(stream, "default_deny", "Whether what no rule matches is denied.", policy->verdict == VERDICT_DENY);
	gauge(stream, "policy_generation", "Number of the policy in force.", policy->generation);
	gauge(stream, "policy_rules", "Rules of the policy in force.", policy->rule_count);
	gauge(stream, "policy_binaries", "Binaries that they name.", policy->binary_count);
}

/* ---------------------------------------------------------------------------------------------
 * Programs
 */

static const struct {
	enum kernel_object object;
	const char *label;
} programs[] = { { PROGRAM_SOCKET_ACCEPT, "program=\"socket_accept\"" },
		 { PROGRAM_CONNECTION_GRAFT, "program=\"connection_graft\"" },
		 { PROGRAM_ACCEPT_END, "program=\"accept_end\"" } };
#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

/* Prints nothing unless kernel.bpf_stats_enabled is set, or was: without it the kernel counts nothing. */
static void print_programs(FILE *stream, const struct kernel *kernel)
{
	struct bpf_prog_info info[PROGRAMS] = { 0 };
	uint64_t runs = 0;

	for (size_t i = 0; i < PROGRAMS; i++) {
		__u32 size = sizeof(info[i]);

		if (bpf_obj_get_info_by_fd(kernel->fd[programs[i].object], &info[i], &size))
			return;
		runs += info[i].run_cnt;
	}
	if (!runs)
		return;
	begin(stream, "program_runs_total", "counter", "Runs of a program while kernel.bpf_stats_enabled was set.");
	for (size_t i = 0; i < PROGRAMS; i++)
		sample(stream, "program_runs_total", programs[i].label, info[i].run_cnt);
	begin(stream, "program_run_seconds_total", "counter", "Time that these took.");
	for (size_t i = 0; i < PROGRAMS; i++)
		fprintf(stream, PREFIX "program_run_seconds_total{%s} %" PRIu64 ".%09" PRIu64 "\n", programs[i].label,
			(uint64_t)info[i].run_time_ns / 1000000000U, (uint64_t)info[i].run_time_ns % 1000000000U);
}

/* ---------------------------------------------------------------------------------------------
 * All
 */

static enum status print_loaded(FILE *stream, const struct kernel *kernel, const char *path, const int64_t *moved)
{
	struct policy policy;
	enum status status;

	policy_init(&policy);
	status = live_read_image(kernel, &policy);
	if (status == STATUS_DONE) {
		print_policy(stream, &policy);
		print_problems(stream, kernel, moved ? *moved : count_moved(kernel, &policy));
		print_decisions(stream, kernel->state);
		print_rules(stream, kernel, &policy);
		print_events(stream, kernel);
		print_log(stream, kernel, path);
		print_programs(stream, kernel);
	}
	policy_clear(&policy);
	return status;
}

/* `moved` is how many paths of rules lead elsewhere, if that is known; NULL: look them up. */
static enum status print_all(FILE *stream, const char *path, const int64_t *moved)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	enum status status = kernel_open(&kernel, false, true);

	if (status != STATUS_DONE && status != STATUS_NOT_LOADED)
		return status;
	gauge(stream, "loaded", "Whether a policy is in force.", status == STATUS_DONE);
	if (status == STATUS_DONE)
		status = print_loaded(stream, &kernel, path, moved);
	fputs("# EOF\n", stream);
	return status;
}

enum status metrics_print(FILE *stream, const char *path)
{
	return print_all(stream, path, NULL);
}

int metrics_write_file(const char *file, const char *path, int64_t moved)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	FILE *stream = must(open_memstream(&text, &length));
	enum status status = print_all(stream, path, &moved);

	fclose(stream);
	if (status != STATUS_DONE && status != STATUS_NOT_LOADED)
		return -EIO;
	/* The collector of the node exporter takes *.prom only, so it doesn't see the new file before it is complete. */
	return replace_file(file, text, length, 0644, false);
}
