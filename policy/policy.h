/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy in user space: what the INI files say and what an image is compiled from.
 *
 * Nothing here knows a kernel; all of it runs as any user.
 */
#ifndef SOCKACCEPT_POLICY_H
#define SOCKACCEPT_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/shared/image.h"
#include "policy/port.h"

/* The section of rules that were made with `allow` and `deny`. */
#define CLI_SECTION "cli"

/* The longest path of a binary, in bytes: what a line of inih takes after `binary = `. */
#define BINARY_PATH_MAX 180

/* A rule that has no counter yet. */
#define COUNTER_NONE UINT32_MAX

/* A binary as rules name it. */
struct binary {
	char *path;      /* as given, or "any" */
	char *resolved;  /* directory resolved through symbolic links + "/" + file name; NULL: not yet, or any */
	uint32_t number; /* its entry's number in the kernel; BINARY_ANY for any, or until it is known */
	bool waits;      /* its path led nowhere: its number, if it has one, is nobody's, until the path is resolved again */
	char *file;      /* the policy file that names it first, and its line; NULL: none does */
	unsigned line;
	mode_t mode;     /* what resolve_policy() saw of the file; 0: it isn't there, or was not looked at */
	uid_t uid;
	gid_t gid;
};

/* Where a section of a file names a binary: all rules that the section makes for it have this origin. */
struct origin {
	const char *file; /* one of policy.files */
	unsigned line;
};

struct rule {
	char section[SECTION_MAX + 1];
	size_t binary; /* index in policy.binaries */
	struct port_item port;
	uint8_t verdict; /* enum verdict; with VERDICT_LISTEN it has no user and lasts */
	bool has_uid;
	uint32_t uid;
	uint32_t unknown_user; /* 1 + index in policy.unknown_users, and uid is UID_NONE: the rule waits; 0: none */
	uint32_t counter; /* index in rule_counters, or COUNTER_NONE */
	uint32_t origin;  /* 1 + index in policy.origins; 0: no file has it */
	uint64_t until;   /* when it ends, ns of CLOCK_BOOTTIME: a temporary rule, which no file has; 0: it lasts */
};

/* The value of a setting that is yes or no: true or false. */
enum answer {
	ANSWER_NO,
	ANSWER_YES,
	ANSWERS,
};

/* What is in force after a boot whose policy was invalid. */
enum failure {
	FAILURE_OPEN,   /* nothing */
	FAILURE_CLOSED, /* the last good policy, which is the one that says so */
	FAILURES,
};

struct policy {
	unsigned mode;    /* enum mode */
	unsigned verdict; /* enum verdict: the default */
	unsigned switches[SWITCHES]; /* enum answer */
	unsigned failure; /* enum failure: what a boot does that finds the files invalid; only files have it */
	uint32_t events; /* that each buffer holds: a power of two, MIN_EVENTS to MAX_EVENTS; the kernel keeps it, not the image */
	uint64_t generation;
	char source[POLICY_SOURCE_MAX + 1]; /* the file or directory that it was loaded from; empty: not known */
	struct binary *binaries;
	size_t binary_count;
	struct rule *rules;
	size_t rule_count;
	char **unknown_users; /* names of users in rules, whom the system didn't know */
	size_t unknown_user_count;
	struct origin *origins;
	size_t origin_count;
	char **files; /* names of the files that `origins` are in */
	size_t file_count;
	void *binary_index;            /* finds a binary by its path; policy.c's own */
};

/* What a policy is read for, and so what is an error in it. */
enum purpose {
	READ_FOR_LOAD,
	READ_FOR_CHECK, /* what depends on who reads it is a warning */
	READ_OFFLINE,   /* as READ_FOR_CHECK, for another machine: what this one lacks is a note */
	READ_AT_BOOT,   /* what can change by itself is a warning: files, directories and users that were there once */
};

/* An empty policy: enforce, default allow, each switch on, generation 0. Aborts without memory. */
void policy_init(struct policy *policy);

/* The switches that are on, as enum policy_flag. */
uint32_t policy_flags(const struct policy *policy);

/* Sets the switches to what policy_flags() has returned. */
void policy_set_flags(struct policy *policy, uint32_t flags);
/* Frees what it holds; `policy` is then as after policy_init(). */
void policy_clear(struct policy *policy);

/* Index of the binary with this path (as given, or "any"), added if it is new. Copies `path`. */
size_t policy_binary(struct policy *policy, const char *path);

/* What struct rule has for the user `name`, whom the system doesn't know: 1 + its index, added if it is new. */
uint32_t policy_unknown_user(struct policy *policy, const char *name);

/* What struct rule has for this line of `file`: 1 + the index of a new origin. Copies `file`. */
uint32_t policy_origin(struct policy *policy, const char *file, unsigned line);

/* Where the section of a rule names its binary; NULL: no file does. */
const struct origin *rule_origin(const struct policy *policy, const struct rule *rule);

/* The name of a rule's unknown user; NULL: it has none. */
const char *rule_unknown_user(const struct policy *policy, const struct rule *rule);

/* Appends a copy of `rule`, whatever is there already. */
void policy_append(struct policy *policy, const struct rule *rule);

/*
 * Drops the binaries and the unknown users that no rule has, and puts the others in the order of their first rules, whose indices
 * follow.
 */
void policy_renumber(struct policy *policy);

/* Returns what a binary is known by until it has a number: its resolved path, or the path as given if that is not known. */
const char *binary_identity(const struct binary *binary);

/* Returns true if both indices stand for one binary: by their numbers if both have one, otherwise by their identities. */
bool policy_same_binary(const struct policy *policy, size_t a, size_t b);

/* True for a rule that decides about accept(2), and not one that only lets its binary listen for others. */
bool rule_decides(const struct rule *rule);

/*
 * True when both are for the same binary (resolved, where both are), port item and conditions, and both about accept(2) or both
 * about listening for others.
 */
bool rule_same_request(const struct policy *policy, const struct rule *a, const struct rule *b);

/*
 * What `allow` and `deny` do: puts `rule` in the place of the rules with the same binary, port item and conditions, or appends it.
 * Who may listen for others stays as it is. A rule that said the same before keeps its section and counter. A temporary one takes
 * the place of temporary ones only: it will end, and what lasts is then in force again.
 * Returns true if that changed the policy.
 */
bool policy_replace(struct policy *policy, const struct rule *rule);

/* Which rules `remove` is about. */
enum removal {
	REMOVE_MADE,  /* those that `allow` and `deny` made; without a user, those with any user or none */
	REMOVE_MADE_PLAIN, /* of those, the ones without a user */
	REMOVE_EXACT, /* whoever made them: those with this user; without one, those without one */
};

/* True if only what `allow` and `deny` made is removed. */
bool removal_is_of_made(enum removal removal);

/*
 * What `remove` does: removes the rules of binary `binary` (index) with this port item (NULL: every
 * one) and this user (NULL: as `removal` says); who may listen for others stays as it is. Returns how many were removed.
 */
size_t policy_remove(struct policy *policy, size_t binary, const struct port_item *port, const uint32_t *uid, enum removal removal);

/* True if policy_remove() would remove `rule`. */
bool rule_is_removed(const struct policy *policy, const struct rule *rule, size_t binary, const struct port_item *port, const uint32_t *uid,
		     enum removal removal);

/* How many temporary rules a normalised policy has: they come first. */
size_t policy_temporaries(const struct policy *policy);

/* Drops the temporary rules that have ended by `now`. */
void policy_drop_ended(struct policy *policy, uint64_t now);

/* Adds copies of the temporary rules of `from`, with their binaries' numbers and paths. Returns how many there are. */
size_t policy_keep_temporaries(struct policy *policy, const struct policy *from);

/*
 * Gives binaries of the same number the same resolved path: through bind mounts one directory entry has several,
 * and rules for it must stand side by side.
 */
void policy_unify(struct policy *policy);

/*
 * Gives the binaries of both, normalised, numbers by their resolved paths, the same ones for the same path: for policies that no
 * kernel knows.
 */
void policy_number_alike(struct policy *a, struct policy *b);

/*
 * Sorts the rules (temporary ones first; by binary's path, `any` last; those that decide nothing last; then rank, highest first)
 * and drops repetitions, so that equal policies are equal arrays, whatever the order in which their files were read. Drops binaries
 * without rules. Returns how many repetitions were dropped.
 */
size_t policy_normalise(struct policy *policy);

/* True if both, normalised, have the same rules, but for sections and counters: the same paths, ports, users and verdicts. */
bool policy_same_rules(const struct policy *a, const struct policy *b);

/* How many conditions a rule has; DESIGN, "Which rule decides", 3. */
unsigned rule_conditions(const struct rule *rule);
/* The rule's rank among those of its binary: RANK() of bpf/shared/image.h. */
uint32_t rule_rank(const struct rule *rule);

#endif
