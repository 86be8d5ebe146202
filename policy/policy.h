/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy in user space: what policy files say, and what an image is compiled from. Nothing in policy/ needs a kernel that has the
 * programs, or any privilege.
 */
#ifndef SOCKACCEPT_POLICY_H
#define SOCKACCEPT_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/shared/event.h"
#include "bpf/shared/image.h"
#include "policy/port.h"

/* The section of the rules that `allow` and `deny` make. */
#define CLI_SECTION "cli"

/* The longest path of a binary, in bytes: what inih takes in a line after `binary = `. */
#define BINARY_PATH_MAX 180

/* The counter of a rule that has none yet. */
#define COUNTER_NONE UINT32_MAX

/* A binary as rules name it. */
struct binary {
	char *path;      /* as given, or "any" */
	char *resolved;  /* its directory, resolved through symbolic links, and its file name; NULL: not resolved yet, or any */
	uint32_t number; /* of its directory entry in the kernel; BINARY_ANY for any, and until it is known */
	bool waits;      /* its path led nowhere; until it is resolved again, its number, if it has one, matches nothing */
	char *file;      /* the policy file that names it first; NULL: none does */
	unsigned line;
	mode_t mode; /* what resolve_policy() saw of the file; 0: it isn't there, or wasn't looked at */
	uid_t uid;
	gid_t gid;
};

/* Where a section of a file names a binary. All rules that the section makes for it have this origin. */
struct origin {
	const char *file; /* one of policy.files */
	unsigned line;
};

struct rule {
	char section[SECTION_MAX + 1];
	size_t binary; /* index in policy.binaries */
	struct port_item port;
	uint8_t verdict; /* enum verdict; a rule with VERDICT_LISTEN has no user and no end */
	bool has_uid;
	uint32_t uid;
	uint32_t unknown_user; /* 1 + index in policy.unknown_users: the rule waits, and uid is UID_NONE; 0: it has none */
	uint32_t counter;      /* index in rule_counters, or COUNTER_NONE */
	uint32_t origin;       /* 1 + index in policy.origins; 0: it is in no file */
	uint64_t until;        /* when a temporary rule ends, in ns of CLOCK_BOOTTIME; 0: the rule lasts */
};

/* The value of a setting that is yes or no. */
enum answer {
	ANSWER_NO,
	ANSWER_YES,
	ANSWERS,
};

/* What is in force after a boot whose policy was invalid. */
enum failure {
	FAILURE_OPEN,   /* nothing */
	FAILURE_CLOSED, /* the last good policy, if that says so */
	FAILURES,
};

struct policy {
	unsigned mode;               /* enum mode */
	unsigned verdict;            /* enum verdict: the default */
	unsigned switches[SWITCHES]; /* enum answer */
	unsigned failure;            /* enum failure: what a boot does if the files are invalid; an image doesn't have it */
	uint32_t events;             /* how many each buffer holds: a power of two, MIN_EVENTS to MAX_EVENTS; an image doesn't have it */
	uint64_t generation;
	char source[POLICY_SOURCE_MAX + 1]; /* the file or directory that it was loaded from; empty if not known */
	struct binary *binaries;
	size_t binary_count;
	struct rule *rules;
	size_t rule_count;
	char **unknown_users; /* names of users that rules have and the system didn't know */
	size_t unknown_user_count;
	struct origin *origins;
	size_t origin_count;
	char **files; /* names of the files of `origins` */
	size_t file_count;
	void *binary_index; /* finds a binary by its path; policy.c's own */
};

/* What a policy is read for. It decides what is an error, and what only a warning. */
enum purpose {
	READ_FOR_LOAD,
	READ_FOR_CHECK, /* what depends on who reads it is a warning */
	READ_OFFLINE,   /* as READ_FOR_CHECK, but for another machine: what this one lacks is a note */
	READ_AT_BOOT,   /* what can change by itself is a warning: files, directories and users that are gone */
};

/* The value of an empty policy, for its declaration: what is cleaned up when it goes out of scope must have one from the start. */
#define POLICY_INIT                                                                                                \
	{                                                                                                          \
		.mode = MODE_ENFORCE, .verdict = VERDICT_ALLOW, .switches = { [0 ... SWITCHES - 1] = ANSWER_YES }, \
		.events = DEFAULT_EVENTS                                                                           \
	}

/* Makes `policy` an empty one: mode enforce, default allow, all switches on, generation 0. What it held before is not freed. */
void policy_init(struct policy *policy);

/* Returns the switches that are on, as enum policy_flag. */
uint32_t policy_flags(const struct policy *policy);

/* Sets the switches to `flags`, as policy_flags() returns them. */
void policy_set_flags(struct policy *policy, uint32_t flags);

/* Frees what it holds, and leaves it as policy_init() does. */
void policy_clear(struct policy *policy);
#define _cleanup_policy_ __attribute__((cleanup(policy_clear)))

/* Returns the index of the binary with this path, as given, or "any". Adds it if it is new. Copies `path`. Aborts without memory. */
size_t policy_binary(struct policy *policy, const char *path);

/* Returns rule.unknown_user for the unknown user `name`: 1 + its index. Adds it if it is new. Aborts without memory. */
uint32_t policy_unknown_user(struct policy *policy, const char *name);

/* Adds an origin: a line of `file`, whose name is copied. Returns rule.origin for it: 1 + its index. Aborts without memory. */
uint32_t policy_origin(struct policy *policy, const char *file, unsigned line);

/* Returns where the section of a rule names its binary, or NULL if the rule is in no file. */
const struct origin *rule_origin(const struct policy *policy, const struct rule *rule);

/* Returns the name of a rule's unknown user, or NULL if it has none. */
const char *rule_unknown_user(const struct policy *policy, const struct rule *rule);

/* Appends a copy of `rule`, whatever is there already. Aborts without memory. */
void policy_append(struct policy *policy, const struct rule *rule);

/*
 * Drops the binaries and the unknown users that no rule has, and puts the others in the order of their first rules, whose indices
 * follow.
 */
void policy_renumber(struct policy *policy);

/* Returns true if the binary stands for all binaries. */
bool binary_is_any(const struct binary *binary);

/* Returns what a binary is known by until it has a number: its resolved path, or the path as given if that is not known. */
const char *binary_identity(const struct binary *binary);

/* Returns true if both indices stand for one binary: by their numbers if both have one, otherwise by their identities. */
bool policy_same_binary(const struct policy *policy, size_t a, size_t b);

/* Returns true if the rule decides about accept(2), and false if it only lets its binary listen for others. */
bool rule_decides(const struct rule *rule);

/*
 * Returns true if both rules are for the same binary, port item and conditions, and both about accept(2) or both about listening for
 * others.
 */
bool rule_same_request(const struct policy *policy, const struct rule *a, const struct rule *b);

/*
 * Does what `allow` and `deny` do: replaces the rules with the same binary, port item and conditions by `rule`, or appends it. Leaves
 * rules about listening for others as they are. A rule that says the same already keeps its section and counter. A temporary rule
 * replaces only temporary ones: after its end, the lasting ones are in force again. Returns true if the policy changed.
 */
bool policy_replace(struct policy *policy, const struct rule *rule);

/* Which rules `remove` is about. */
enum removal {
	REMOVE_MADE,       /* that `allow` and `deny` made; if no user is asked for, with any user or none */
	REMOVE_MADE_PLAIN, /* that `allow` and `deny` made, and that have no user */
	REMOVE_EXACT,      /* whoever made them, with exactly the user asked for, or without one if none is */
};

/* Returns true if it removes only what `allow` and `deny` made. */
bool removal_is_of_made(enum removal removal);

/*
 * Does what `remove` does: removes the rules of the binary with the index `binary`, with this port item (NULL: with any) and this user
 * (NULL: as `removal` says). Leaves rules about listening for others as they are. Returns how many it removed.
 */
size_t policy_remove(struct policy *policy, size_t binary, const struct port_item *port, const uint32_t *uid, enum removal removal);

/* Returns true if policy_remove() would remove `rule`. */
bool rule_is_removed(const struct policy *policy, const struct rule *rule, size_t binary, const struct port_item *port, const uint32_t *uid,
		     enum removal removal);

/* Returns how many temporary rules a normalised policy has. They come first. */
size_t policy_temporaries(const struct policy *policy);

/* Drops the temporary rules that have ended by `now`, in ns of CLOCK_BOOTTIME. */
void policy_drop_ended(struct policy *policy, uint64_t now);

/* Adds copies of the temporary rules of `from`, with their binaries' numbers and resolved paths. Returns how many. */
size_t policy_keep_temporaries(struct policy *policy, const struct policy *from);

/*
 * Gives binaries with the same number the same resolved path. Through bind mounts, one directory entry has several paths, and its
 * rules must be side by side.
 */
void policy_unify(struct policy *policy);

/*
 * Gives the binaries of two normalised policies numbers, the same number for the same resolved path. For policies that no kernel has.
 */
void policy_number_alike(struct policy *a, struct policy *b);

/*
 * Sorts the rules, and drops repetitions and binaries without rules, so that equal policies become equal arrays, whatever the order of
 * their files. The order is: temporary rules first; then by the binary's path, `any` last; then rules that only let their binary
 * listen last; then the highest rank first. Returns how many repetitions it dropped.
 */
size_t policy_normalise(struct policy *policy);

/* Returns true if two normalised policies have the same rules: paths, ports, users, verdicts and ends. Sections don't count. */
bool policy_same_rules(const struct policy *a, const struct policy *b);

/* Returns how many conditions a rule has: of two matching rules for a binary, the one with more decides. */
unsigned rule_conditions(const struct rule *rule);

/* Returns the rule's rank among those of its binary: RANK() of bpf/shared/image.h. */
uint32_t rule_rank(const struct rule *rule);

#endif
