/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of verbs, and their help.
 */
#include <stdio.h>
#include <string.h>

#include "enforce/verbs/completion.h"
#include "enforce/verbs/verb.h"
#include "policy/text.h"

#define AUDIT_OPTIONS                                                                                          \
	(TAKES(OPTION_JSON) | TAKES(OPTION_ALL) | TAKES(OPTION_FOLLOW) | TAKES(OPTION_SINCE) | TAKES(OPTION_UNTIL) | \
	 TAKES(OPTION_BINARY) | TAKES(OPTION_PORT) | TAKES(OPTION_VERDICT) | TAKES(OPTION_USER) | TAKES(OPTION_UNIT) | \
	 TAKES(OPTION_PEER) | TAKES(OPTION_LIMIT) | TAKES(OPTION_CHECKPOINT) | TAKES(OPTION_UTC) | \
	 TAKES(OPTION_LOG))
#define RULE_OPTIONS (TAKES(OPTION_USER) | TAKES(OPTION_FOR) | TAKES(OPTION_SAVE))
#define REPORT_OPTIONS                                                                                         \
	(TAKES(OPTION_JSON) | TAKES(OPTION_SINCE) | TAKES(OPTION_UNTIL) | TAKES(OPTION_BINARY) | TAKES(OPTION_PORT) | \
	 TAKES(OPTION_USER) | TAKES(OPTION_UNIT) | TAKES(OPTION_PEER) | TAKES(OPTION_TOP) | TAKES(OPTION_UTC) |       \
	 TAKES(OPTION_LOG))
#define DAEMON_OPTIONS                                                                                         \
	(TAKES(OPTION_LOG) | TAKES(OPTION_ROTATE_SIZE) | TAKES(OPTION_ROTATE_KEEP) | TAKES(OPTION_METRICS_FILE))

const struct verb verbs[] = {
	{ "load", "[FILE|DIRECTORY]", 0, 1, TAKES(OPTION_NO_WARNINGS) | TAKES(OPTION_BOOT) | TAKES(OPTION_FORCE) |
	  TAKES(OPTION_CONFIRM),
	  PRIVILEGE_ATTACH, verb_load,
	  "attach if needed, and put this policy in force", true },
	{ "confirm", "", 0, 0, 0, PRIVILEGE_PROCESS, verb_confirm, "a policy that is on trial stays", true },
	{ "lock", "", 0, 0, 0, PRIVILEGE_LOCK, verb_lock, "nothing can be changed until the machine stops", true },
	{ "unload", "", 0, 0, 0, PRIVILEGE_READ, verb_unload, "detach and remove everything", true },
	{ "allow", "BINARY PORT...", 2, -1, RULE_OPTIONS | TAKES(OPTION_FORCE), PRIVILEGE_PROCESS, verb_rule,
	  "add or replace a rule of the live policy", true },
	{ "deny", "BINARY PORT...", 2, -1, RULE_OPTIONS | TAKES(OPTION_FORCE), PRIVILEGE_PROCESS, verb_rule,
	  "add or replace a rule of the live policy", true },
	{ "remove", "BINARY [PORT...]", 1, -1, TAKES(OPTION_USER) | TAKES(OPTION_SAVE) | TAKES(OPTION_FORCE), PRIVILEGE_PROCESS,
	  verb_rule, "remove rules of the live policy", true },
	{ "save", "[FILE]", 0, 1, 0, PRIVILEGE_CHANGE, verb_save, "the live policy as a policy file", false },
	{ "diff", "[FILE|DIRECTORY]", 0, 1, TAKES(OPTION_JSON), PRIVILEGE_CHANGE, verb_diff,
	  "the live policy against the files, in both directions", false },
	{ "refresh", "", 0, 0, 0, PRIVILEGE_PROCESS, verb_refresh,
	  "resolve the paths of the live rules anew", true },
	{ "upgrade", "", 0, 0, 0, PRIVILEGE_ATTACH, verb_upgrade,
	  "take over from an older sockaccept-ctl, without a gap", true },
	{ "list", "", 0, 0, TAKES(OPTION_JSON) | TAKES(OPTION_HITS) | TAKES(OPTION_PORTS), PRIVILEGE_READ, verb_list,
	  "the live rules, and how often each decided", false },
	{ "status", "", 0, 0, TAKES(OPTION_JSON), PRIVILEGE_CHANGE, verb_status,
	  "enforcing? mode, default, counts, anything amiss", false },
	{ "listeners", "", 0, 0, TAKES(OPTION_JSON) | TAKES(OPTION_POLICY), PRIVILEGE_ATTACH, verb_listeners,
	  "who listens, and whether it may accept", false },
	{ "doctor", "", 0, 0, TAKES(OPTION_JSON), PRIVILEGE_DIAGNOSE, verb_doctor,
	  "what works, what doesn't, and how to mend it", false },
	{ "mode", "enforce|permissive", 1, 1, TAKES(OPTION_FORCE), PRIVILEGE_PROCESS, verb_mode,
	  "enforce, or only record what would be denied", true },
	{ "audit", "", 0, 0, AUDIT_OPTIONS, PRIVILEGE_CHANGE, verb_audit,
	  "denials (or every event), oldest first", false },
	{ "report", "", 0, 0, REPORT_OPTIONS, PRIVILEGE_CHANGE, verb_report,
	  "who was denied and who accepted most, and what is new", false },
	{ "metrics", "", 0, 0, TAKES(OPTION_LOG), PRIVILEGE_CHANGE, verb_metrics,
	  "the counters, as text for a monitoring system", false },
	{ "daemon", "", 0, 0, DAEMON_OPTIONS, PRIVILEGE_READ, verb_daemon, "keep the events in a lasting log", false },
	{ "drain", "", 0, 0, 0, PRIVILEGE_PROCESS, verb_drain, "reset what waits on denied listeners, as it comes", false },
	{ "identify", "PATH|PID", 1, 1, TAKES(OPTION_JSON), PRIVILEGE_PROCESS, verb_identify,
	  "which rules a program or a process has, and why", false },
	{ "check", "[FILE|DIRECTORY]", 0, 1, TAKES(OPTION_JSON) | TAKES(OPTION_NO_WARNINGS) | TAKES(OPTION_OFFLINE), PRIVILEGE_FILES,
	  verb_check,
	  "validate; no kernel is touched, no privilege needed", false },
	{ "help", "[VERB]", 0, 1, TAKES(OPTION_COMPLETION), PRIVILEGE_NONE, verb_help, "this help, or that of a verb", false },
};
const size_t verb_count = sizeof(verbs) / sizeof(verbs[0]);

const struct option_row option_rows[OPTIONS] = {
	{ OPTION_ALL, "all", NULL, "accepted connections too" },
	{ OPTION_SINCE, "since", "TIME", "from then on: 10m, 14:00, 2026-11-24, 2026-11-24T14:00Z" },
	{ OPTION_UNTIL, "until", "TIME", "up to then" },
	{ OPTION_BINARY, "binary", "PATH", "of this binary: its path, or only its file name" },
	{ OPTION_PORT, "port", "PORT,...", "on these ports" },
	{ OPTION_VERDICT, "verdict", "VERDICT", "allow or deny" },
	{ OPTION_USER, "user", "NAME,...", "of these effective users, by name or id" },
	{ OPTION_UNIT, "unit", "NAME", "of this system unit" },
	{ OPTION_PEER, "peer", "PREFIX", "from these addresses: 192.0.2.7, 10.0.0.0/8, fe80::/10" },
	{ OPTION_LIMIT, "limit", "NUMBER", "the last ones, so many" },
	{ OPTION_FOLLOW, "follow", NULL, "go on with new events as they come" },
	{ OPTION_CHECKPOINT, "checkpoint", "FILE", "go on where the last run with this file ended" },
	{ OPTION_TOP, "top", "NUMBER", "so many lines of each table; 10 if not given" },
	{ OPTION_LOG, "log", "FILE", "the lasting log; /var/log/sockaccept/audit.log if not given" },
	{ OPTION_ROTATE_SIZE, "rotate-size", "SIZE", "begin a new file at this size; 64M if not given" },
	{ OPTION_ROTATE_KEEP, "rotate-keep", "NUMBER", "so many old files are kept; 15 if not given" },
	{ OPTION_METRICS_FILE, "metrics-file", "FILE", "keep the metrics there: FILE.prom for the node exporter" },
	{ OPTION_UTC, "utc", NULL, "times in UTC, given and shown" },
	{ OPTION_HITS, "hits", NULL, "when each rule decided last" },
	{ OPTION_PORTS, "ports", NULL, "decisions by binary, port and verdict instead of rules" },
	{ OPTION_NO_WARNINGS, "no-warnings", NULL, "errors only, no warnings of the policy" },
	{ OPTION_FOR, "for", "TIME", "the rules end by themselves after 90s, 10m, 12h, 2d" },
	{ OPTION_SAVE, "save", NULL, "also for the next load: in policy.d/90-local.ini" },
	{ OPTION_FORCE, "force", NULL, "also if it denies the SSH connection that you came by" },
	{ OPTION_CONFIRM, "confirm", "SECONDS", "on trial: unless confirmed in time, it goes again" },
	{ OPTION_POLICY, "policy", "FILE", "what this policy would decide; as for load" },
	{ OPTION_BOOT, "boot", NULL, "if it is invalid, fall back as the last good one says" },
	{ OPTION_OFFLINE, "offline", NULL, "for another machine: what this one lacks is only noted" },
	{ OPTION_COMPLETION, "completion", NULL, "the completion script for bash" },
	{ OPTION_JSON, "json", NULL, "JSON instead of text" },
};

static const char *const details[] = {
	"BINARY is the absolute path of an executable, or `any`.",
	"PORT is a port, a range such as 8000-8099, or `any`; with /tcp, /sctp or /vsock",
	"it is for that protocol only.",
	"FILE is a policy file, DIRECTORY one of *.ini files; without either,",
	"/etc/sockaccept/policy.ini and /etc/sockaccept/policy.d/*.ini are read.",
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
	     "5 this kernel can't; 6 the policy is invalid.\n\n"
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

		snprintf(usage, sizeof(usage), "--%s%s%s", row->name, row->argument ? " " : "",
			 row->argument ? row->argument : "");
		if (verb->options & TAKES(row->option))
			printf("  %-19s  %s\n", usage, row->summary);
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
	return fail(STATUS_USAGE, "unknown verb `%s`; did you mean `%s`? All of them: sockaccept-ctl help", name,
		    nearest_verb(name));
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
