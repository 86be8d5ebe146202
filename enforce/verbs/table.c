/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of verbs, and their help.
 */
#include <stdio.h>
#include <string.h>

#include "enforce/verbs/completion.h"
#include "enforce/verbs/verb.h"
#include "policy/text.h"

#define AUDIT_OPTIONS                                                                                                  \
	(TAKES(OPTION_JSON) | TAKES(OPTION_ALL) | TAKES(OPTION_FOLLOW) | TAKES(OPTION_SINCE) | TAKES(OPTION_UNTIL) |   \
	 TAKES(OPTION_BINARY) | TAKES(OPTION_PORT) | TAKES(OPTION_VERDICT) | TAKES(OPTION_USER) | TAKES(OPTION_UNIT) | \
	 TAKES(OPTION_PEER) | TAKES(OPTION_LIMIT) | TAKES(OPTION_CHECKPOINT) | TAKES(OPTION_UTC) | TAKES(OPTION_LOG))
#define RULE_OPTIONS (TAKES(OPTION_USER) | TAKES(OPTION_FOR) | TAKES(OPTION_SAVE))
#define REPORT_OPTIONS                                                                                                                     \
	(TAKES(OPTION_JSON) | TAKES(OPTION_SINCE) | TAKES(OPTION_UNTIL) | TAKES(OPTION_BINARY) | TAKES(OPTION_PORT) | TAKES(OPTION_USER) | \
	 TAKES(OPTION_UNIT) | TAKES(OPTION_PEER) | TAKES(OPTION_TOP) | TAKES(OPTION_UTC) | TAKES(OPTION_LOG))
#define DAEMON_OPTIONS (TAKES(OPTION_LOG) | TAKES(OPTION_ROTATE_SIZE) | TAKES(OPTION_ROTATE_KEEP) | TAKES(OPTION_METRICS_FILE))

const struct verb verbs[] = {
	{ "load", "[FILE|DIRECTORY]", 0, 1, TAKES(OPTION_NO_WARNINGS) | TAKES(OPTION_BOOT) | TAKES(OPTION_FORCE) | TAKES(OPTION_CONFIRM),
	  PRIVILEGE_PROGRAMS, verb_load, "Put a policy in force; attach the program if needed", true },
	{ "confirm", "", 0, 0, 0, PRIVILEGE_PROCESSES, verb_confirm, "Keep the policy that is on trial", true },
	{ "lock", "", 0, 0, 0, PRIVILEGE_LOCK, verb_lock, "Forbid every change until the machine stops", true },
	{ "unload", "", 0, 0, 0, PRIVILEGE_PINS, verb_unload, "Detach and remove everything", true },
	{ "allow", "BINARY PORT...", 2, -1, RULE_OPTIONS | TAKES(OPTION_FORCE), PRIVILEGE_PROCESSES, verb_rule,
	  "Add or replace allow rules in the live policy", true },
	{ "deny", "BINARY PORT...", 2, -1, RULE_OPTIONS | TAKES(OPTION_FORCE), PRIVILEGE_PROCESSES, verb_rule,
	  "Add or replace deny rules in the live policy", true },
	{ "remove", "BINARY [PORT...]", 1, -1, TAKES(OPTION_USER) | TAKES(OPTION_SAVE) | TAKES(OPTION_FORCE), PRIVILEGE_PROCESSES,
	  verb_rule, "Remove rules from the live policy", true },
	{ "save", "[FILE]", 0, 1, 0, PRIVILEGE_PATHS, verb_save, "Write the live policy as a policy file", false },
	{ "diff", "[FILE|DIRECTORY]", 0, 1, TAKES(OPTION_JSON), PRIVILEGE_PATHS, verb_diff, "Show how the live policy and the files differ",
	  false },
	{ "refresh", "", 0, 0, 0, PRIVILEGE_PROCESSES, verb_refresh, "Resolve the paths of the live rules again", true },
	{ "upgrade", "", 0, 0, 0, PRIVILEGE_PROGRAMS, verb_upgrade, "Take over from an older sockaccept-ctl without a gap", true },
	{ "list", "", 0, 0, TAKES(OPTION_JSON) | TAKES(OPTION_HITS) | TAKES(OPTION_PORTS), PRIVILEGE_PINS, verb_list,
	  "Show the live rules and how often each decided", false },
	{ "status", "", 0, 0, TAKES(OPTION_JSON), PRIVILEGE_PATHS, verb_status, "Show enforcement, mode, default, counts and problems",
	  false },
	{ "listeners", "", 0, 0, TAKES(OPTION_JSON) | TAKES(OPTION_POLICY), PRIVILEGE_PROGRAMS, verb_listeners,
	  "Show who listens and whether they may accept", false },
	{ "doctor", "", 0, 0, TAKES(OPTION_JSON), PRIVILEGE_DIAGNOSE, verb_doctor, "Show what works, what doesn't, and how to fix it",
	  false },
	{ "mode", "enforce|permissive", 1, 1, TAKES(OPTION_FORCE), PRIVILEGE_PROCESSES, verb_mode,
	  "Enforce, or only record what would be denied", true },
	{ "audit", "", 0, 0, AUDIT_OPTIONS, PRIVILEGE_PATHS, verb_audit, "Show denials (or every event), oldest first", false },
	{ "report", "", 0, 0, REPORT_OPTIONS, PRIVILEGE_PATHS, verb_report, "Sum up denials, accepted connections and what is new", false },
	{ "metrics", "", 0, 0, TAKES(OPTION_LOG), PRIVILEGE_PATHS, verb_metrics, "Print the counters for a monitoring system", false },
	{ "daemon", "", 0, 0, DAEMON_OPTIONS, PRIVILEGE_PINS, verb_daemon, "Write the events to a lasting log", false },
	{ "drain", "", 0, 0, 0, PRIVILEGE_PROCESSES, verb_drain, "Reset connections as they come to denied listeners", false },
	{ "identify", "PATH|PID", 1, 1, TAKES(OPTION_JSON), PRIVILEGE_PROCESSES, verb_identify,
	  "Show which rules a program or process has, and why", false },
	{ "check", "[FILE|DIRECTORY]", 0, 1, TAKES(OPTION_JSON) | TAKES(OPTION_NO_WARNINGS) | TAKES(OPTION_OFFLINE), PRIVILEGE_FILES,
	  verb_check, "Check a policy; needs no privilege, changes nothing", false },
	{ "help", "[VERB]", 0, 1, TAKES(OPTION_COMPLETION), PRIVILEGE_NONE, verb_help, "Show this help, or the help of a verb", false },
};
const size_t verb_count = sizeof(verbs) / sizeof(verbs[0]);

const struct option_row option_rows[OPTIONS] = {
	{ OPTION_ALL, "all", NULL, "Show accepted connections too" },
	{ OPTION_SINCE, "since", "TIME", "Begin at TIME: 10m, 14:00, 2026-11-24, 2026-11-24T14:00Z" },
	{ OPTION_UNTIL, "until", "TIME", "End at TIME" },
	{ OPTION_BINARY, "binary", "PATH", "Match this binary: its path, or only its file name" },
	{ OPTION_PORT, "port", "PORT,...", "Match these ports" },
	{ OPTION_VERDICT, "verdict", "VERDICT", "Match this verdict: allow or deny" },
	{ OPTION_USER, "user", "NAME,...", "Match these effective users, by name or id" },
	{ OPTION_UNIT, "unit", "NAME", "Match this system unit" },
	{ OPTION_PEER, "peer", "PREFIX", "Match these peers: 192.0.2.7, 10.0.0.0/8, fe80::/10" },
	{ OPTION_LIMIT, "limit", "NUMBER", "Show only the last NUMBER events" },
	{ OPTION_FOLLOW, "follow", NULL, "Keep showing new events as they come" },
	{ OPTION_CHECKPOINT, "checkpoint", "FILE", "Continue where the last run with this file ended" },
	{ OPTION_TOP, "top", "NUMBER", "Show at most this many lines of each table (default 10)" },
	{ OPTION_LOG, "log", "FILE", "Use this log (default /var/log/sockaccept/audit.log)" },
	{ OPTION_ROTATE_SIZE, "rotate-size", "SIZE", "Begin a new file at this size (default 64M)" },
	{ OPTION_ROTATE_KEEP, "rotate-keep", "NUMBER", "Keep this many old files (default 15)" },
	{ OPTION_METRICS_FILE, "metrics-file", "FILE", "Keep the metrics here: FILE.prom for the node exporter" },
	{ OPTION_UTC, "utc", NULL, "Read and show times in UTC" },
	{ OPTION_HITS, "hits", NULL, "Show when each rule decided last" },
	{ OPTION_PORTS, "ports", NULL, "Show decisions by binary, port and verdict, not rules" },
	{ OPTION_NO_WARNINGS, "no-warnings", NULL, "Show errors of the policy only, no warnings" },
	{ OPTION_FOR, "for", "TIME", "End the rules after this time: 90s, 10m, 12h, 2d" },
	{ OPTION_SAVE, "save", NULL, "Save the change in policy.d/90-local.ini too" },
	{ OPTION_FORCE, "force", NULL, "Change the policy even if it denies your SSH connection" },
	{ OPTION_CONFIRM, "confirm", "SECONDS", "Roll back after this time unless you run `confirm`" },
	{ OPTION_POLICY, "policy", "FILE", "Judge by this policy, a file or directory as for load" },
	{ OPTION_BOOT, "boot", NULL, "Load as at boot; may fall back to the last good policy" },
	{ OPTION_OFFLINE, "offline", NULL, "Check for another machine; only note what this one lacks" },
	{ OPTION_COMPLETION, "completion", NULL, "Print the completion script for bash" },
	{ OPTION_JSON, "json", NULL, "Print JSON instead of text" },
};

static const char *const details[] = {
	"BINARY is the absolute path of an executable, or `any`.",
	"PORT is a port, a range such as 8000-8099, or `any`. With /tcp, /sctp or /vsock",
	"at its end, it is for that protocol only.",
	"FILE is a policy file, DIRECTORY has *.ini files. Without either, the policy is",
	"/etc/sockaccept/policy.ini and /etc/sockaccept/policy.d/*.ini.",
};

void help_all(void)
{
	puts("Usage: sockaccept-ctl VERB [ARGUMENT...] [OPTION...]\n\n"
	     "A firewall for accept(2): which binary may accept connections on which port.\n");
	for (size_t i = 0; i < verb_count; i++) {
		char usage[64];

		snprintf(usage, sizeof(usage), "%s %s", verbs[i].name, verbs[i].arguments);
		printf("  %-24s  %s\n", usage, verbs[i].summary);
	}
	puts("\n  --help, --version\n");
	for (size_t i = 0; i < sizeof(details) / sizeof(details[0]); i++)
		puts(details[i]);
	puts("\nStatus: 0 done; 1 failed; 2 usage; 3 not loaded; 4 not permitted;\n"
	     "5 this kernel can't do it; 6 the policy is invalid.\n\n"
	     "More: man sockaccept-ctl, man sockaccept.ini, man 7 sockaccept");
}

void help_verb(const struct verb *verb)
{
	printf("Usage: sockaccept-ctl %s%s%s%s\n\n%s.\n", verb->name, *verb->arguments ? " " : "", verb->arguments,
	       verb->options ? " [OPTION...]" : "", verb->summary);
	if (verb->options)
		puts("");
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option_row *row = &option_rows[i];
		char usage[40];

		snprintf(usage, sizeof(usage), "--%s%s%s", row->name, row->argument ? " " : "", row->argument ? row->argument : "");
		if (verb->options & TAKES(row->option))
			printf("  %-20s  %s\n", usage, row->summary);
	}
}

const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < verb_count; i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

/* The verb of which the name is a slip, or that it is the beginning of. */
static const char *nearest_verb(const char *name)
{
	const char *nearest = NULL;
	unsigned best = ~0U;

	for (size_t i = 0; i < verb_count; i++) {
		unsigned distance = word_distance(name, verbs[i].name);

		if (strlen(name) > 1 && !strncmp(verbs[i].name, name, strlen(name)))
			return verbs[i].name;
		if (distance < best) {
			best = distance;
			nearest = verbs[i].name;
		}
	}
	return nearest;
}

enum status verb_unknown(const char *name)
{
	return fail(STATUS_USAGE, "unknown verb `%s`; did you mean `%s`? All of them: sockaccept-ctl help", name, nearest_verb(name));
}

enum status verb_help(const struct invocation *invocation)
{
	const struct verb *verb;

	if (invocation->given[OPTION_COMPLETION]) {
		completion_print();
		return STATUS_DONE;
	}
	if (!invocation->count) {
		help_all();
		return STATUS_DONE;
	}
	verb = verb_find(invocation->arguments[0]);
	if (!verb)
		return verb_unknown(invocation->arguments[0]);
	help_verb(verb);
	return STATUS_DONE;
}
