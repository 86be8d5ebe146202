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

#include "bpf/sockaccept.h"

/* The section of rules that were made with `allow` and `deny`. */
#define CLI_SECTION "cli"

/* The longest path of a binary, in bytes: what a line of inih takes after `binary = `. */
#define BINARY_PATH_MAX 180

/* A rule that has no counter yet. */
#define COUNTER_NONE UINT32_MAX

/* A port item: `80`, `8000-8099`, `any`, each with or without a protocol. */
struct port_item {
	uint16_t first; /* 0: any port */
	uint16_t last;  /* 0 with any */
	uint8_t protocol; /* enum protocol */
};

/* A binary as rules name it. */
struct binary {
	char *path;      /* as given, or "any" */
	char *resolved;  /* directory resolved through symbolic links + "/" + file name; NULL: not yet, or any */
	uint32_t number; /* its entry's number in the kernel; BINARY_ANY for any, or until it is known */
	char *file;      /* the policy file that names it first, and its line; NULL: none does */
	unsigned line;
	mode_t mode;     /* what resolve_policy() saw of the file; 0: it isn't there, or was not looked at */
	uid_t uid;
	gid_t gid;
};

struct rule {
	char section[SECTION_MAX + 1];
	size_t binary; /* index in policy.binaries */
	struct port_item port;
	uint8_t verdict; /* enum verdict */
	bool has_uid;
	uint32_t uid;
	uint32_t counter; /* index in rule_counters, or COUNTER_NONE */
	uint64_t until;   /* when it ends, ns of CLOCK_BOOTTIME: a temporary rule, which no file has; 0: it lasts */
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
	unsigned failure; /* enum failure: what a boot does that finds the files invalid; only files have it */
	uint32_t events; /* that each buffer holds: a power of two, MIN_EVENTS to MAX_EVENTS; the kernel keeps it, not the image */
	uint64_t generation;
	struct binary *binaries;
	size_t binary_count;
	struct rule *rules;
	size_t rule_count;
	size_t rule_room, binary_room; /* allocated */
	void *binary_index;            /* finds a binary by its path; policy.c's own */
};

/* An empty policy: enforce, default allow, generation 0. Aborts without memory. */
void policy_init(struct policy *policy);
/* Frees what it holds; `policy` is then as after policy_init(). */
void policy_clear(struct policy *policy);

/* Index of the binary with this path (as given, or "any"), added if it is new. Copies `path`. */
size_t policy_binary(struct policy *policy, const char *path);

/* Appends a copy of `rule`, whatever is there already. */
void policy_append(struct policy *policy, const struct rule *rule);

/* True when both are for the same binary (resolved, where both are), port item and conditions. */
bool rule_same_request(const struct policy *policy, const struct rule *a, const struct rule *b);

/*
 * What `allow` and `deny` do: puts `rule` in the place of the rules with the same binary, port item
 * and conditions, or appends it. A rule that said the same before keeps its section and counter. A temporary one takes the
 * place of temporary ones only: it will end, and what lasts is then in force again.
 * Returns true if that changed the policy.
 */
bool policy_replace(struct policy *policy, const struct rule *rule);

/*
 * What `remove` does: removes the rules of binary `binary` (index) with this port item (NULL: every
 * one), and with this user (NULL: with any or none). Returns how many were removed.
 */
size_t policy_remove(struct policy *policy, size_t binary, const struct port_item *port, const uint32_t *uid);

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
 * Sorts the rules (temporary ones first; by binary's path, `any` last; then rank, highest first) and drops repetitions, so that
 * equal policies are equal arrays, whatever the order in which their files were read. Drops binaries
 * without rules. Returns how many repetitions were dropped.
 */
size_t policy_normalise(struct policy *policy);

/* True if both, normalised, have the same rules, but for sections and counters: the same paths, ports, users and verdicts. */
bool policy_same_rules(const struct policy *a, const struct policy *b);

/* How many conditions a rule has; DESIGN, "Which rule decides", 3. */
unsigned rule_conditions(const struct rule *rule);
/* The rule's rank among those of its binary: RANK() of bpf/sockaccept.h. */
uint32_t rule_rank(const struct rule *rule);

#endif
