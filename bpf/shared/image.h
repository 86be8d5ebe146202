/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy image: a whole policy as the kernel side reads it.
 */
#ifndef SOCKACCEPT_SHARED_IMAGE_H
#define SOCKACCEPT_SHARED_IMAGE_H

#include <linux/types.h>

#include "terms.h"

/* Of policy images alone, which outlive an upgrade as long as this is the same. */
#define IMAGE_LAYOUT 1

/* ---------------------------------------------------------------------------------------------
 * The policy image
 *
 * A whole policy is one BPF array of 256-byte pages, built in user space (policy/image_build.c), frozen,
 * and only then put in place by one 8-byte store. Programs cannot write it either
 * (BPF_F_RDONLY_PROG), so that no decision can see a policy change under it. A page refers to
 * another by its number; equal pages are stored once.
 *
 *   page 0            struct policy_header
 *   binaries_page...  struct binary_entry, BINARIES_PER_PAGE a page, by binary number
 *   rules_page...     struct rule_record, RULES_PER_PAGE a page: temporary ones, the best first; then by binary
 *   names_page...     struct name_record, one a page: how rules spell their binaries
 *   the others        tables: 64 cells of a radix tree
 *
 * A cell is 0 (no rule), a rule as 1 + its place among its binary's rules, or CELL_TABLE | page
 * number of the next level. That cells count from the binary's own first rule is what makes equal
 * tables frequent: all binaries with `allow = 80` share one.
 *
 * Example: nginx, binary 3, rules 7 (allow 80) and 8 (deny any), so first_rule = 7.
 * Its root cells are all 2, but root[80 >> 12] is CELL_TABLE|Q; Q's cells are all 2, but
 * cell[80 >> 6 & 63] is CELL_TABLE|R; R's are all 2, but cell[80 & 63] is 1.
 */
#define PAGE_CELLS 64
#define CELL_TABLE 0x80000000U

/* A port takes three levels: 4, 6 and 6 bits. VSOCK ports above 65535 share one more cell of the first. */
#define PORT_TOP_SHIFT 12
#define PORT_BEYOND_CELL 16
#define PORT_ROOT_CELLS 17
/* A user id takes six levels: 2 bits, then 6 bits each. Its leaf cell is CELL_TABLE | scope page. */
#define UID_TOP_SHIFT 30

#define POLICY_SOURCE_MAX 180 /* bytes */

/* Settings that are yes or no. */
enum policy_switch {
	SWITCH_JUDGE_LISTEN,
	SWITCH_GATE,
	SWITCH_DRAIN,
	SWITCHES,
};

/* If any is set, the binaries' `listen` is filled in. */
enum policy_flag {
	POLICY_JUDGES_LISTEN = 1 << SWITCH_JUDGE_LISTEN, /* listen(2) is judged, not only accept(2) */
	POLICY_GATES = 1 << SWITCH_GATE,                 /* new connections of a denied listener are refused (bpf/gate.bpf.h) */
	POLICY_DRAINS = 1 << SWITCH_DRAIN,               /* those that wait on one are taken out and reset (enforce/change/drain.h) */
};

struct policy_header {
	__u32 layout; /* IMAGE_LAYOUT */
	__u32 pages;  /* of the whole image */
	__u64 generation;
	__u32 mode;    /* enum mode */
	__u32 verdict; /* enum verdict: the policy's default */
	__u32 binaries_page;
	__u32 binaries; /* entries: the highest number in use + 1 */
	__u32 rules_page;
	__u32 rules;
	__u32 names_page;
	__u32 names;
	/* What images of before had zeros for: they have no temporary rules, and know nothing of who may listen. */
	__u32 temporaries; /* the first of the rules */
	__u32 flags;       /* enum policy_flag */
	__u64 temporaries_end; /* when the last of them ends: ns of CLOCK_BOOTTIME */
	char source[POLICY_SOURCE_MAX + 4]; /* where it was loaded from, zero-padded; empty: not known */
};

/* The rules of one binary for one user. Index: enum protocol; a page of root cells, or 0: no such rules. */
struct scope {
	__u32 tables[PROTOCOLS];
};

/* Why a binary may listen on a port where a user whom no rule names may not accept. */
enum listen_cell {
	LISTEN_FOR_SOME = 1, /* some user whom a rule names may */
	LISTEN_FOR_OTHERS,   /* a rule with VERDICT_LISTEN says so, which no rule about accept(2) takes back */
};

struct binary_entry {
	__u32 first_rule;
	__u32 by_user;               /* radix table over effective user ids, 0: no rule of it has a user */
	__u32 root[PORT_ROOT_CELLS]; /* rules without conditions: most, so their first level is here */
	struct scope anyone;         /* rules with a protocol and no user */
	__u32 rules;                 /* how many it has */
	/*
	 * Of a listener's protocol, for all of those: a port's cell is 0, or an enum listen_cell. Rules for `any` are in the tables of every
	 * binary that has rules.
	 */
	struct scope listen;
	__u32 reserved[4];
};
#define BINARIES_PER_PAGE 2

/* (uid_t)-1, which no process has: a rule for it matches nobody. */
#define UID_NONE 0xffffffffU

/* What a rule says, as logs and `list` show it. Copied whole into an event. */
#define SECTION_MAX 49 /* bytes: what Debian's inih keeps of a section's name */
struct rule_label {
	char section[SECTION_MAX + 3]; /* zero-padded */
	__u16 first; /* port; 0: any port, those above 65535 included */
	__u16 last;
	__u32 uid;      /* if has_uid */
	__u8 verdict;   /* enum verdict */
	__u8 protocol;  /* enum protocol */
	__u8 has_uid;
	__u8 reserved;
};

/*
 * Of two rules of one binary that match, the one with the higher rank decides: more conditions, then
 * a narrower range of ports, then deny (DESIGN, "Which rule decides", 3 to 5).
 */
#define RANK(conditions, width, deny) ((__u32)(conditions) << 20 | (0x1ffffU - (width)) << 1 | (deny))
#define WIDTH_ANY 0x10001U /* wider than any range of 16-bit ports */

struct rule_record {
	__u32 rank;
	__u32 counter; /* index in rule_counters */
	__u32 name;    /* index of its name_record */
	__u32 unknown_user; /* index of the name_record of its user, whom the system didn't know: its uid is UID_NONE. 0: none */
	struct rule_label label;
	__u64 until;  /* when it ends: ns of CLOCK_BOOTTIME; 0: it is no temporary rule */
	__u32 binary; /* of a temporary rule */
	__u32 reserved[9];
};
#define RULES_PER_PAGE 2

/*
 * Temporary rules are looked through one after the other, as each ends at a time of its own. They are for exceptions: so
 * many, and no more, bound what a decision takes.
 */
#define MAX_TEMPORARIES 256

#define NAME_MAX_BYTES 243
enum name_flag {
	NAME_WAITS = 1 << 0, /* the path led nowhere: nothing has this number until `refresh` finds what it is for */
	NAME_USER = 1 << 1,  /* no binary, but the name of a user whom the system didn't know. After those of all binaries */
};
struct name_record {
	__u32 binary;
	__u32 flags; /* enum name_flag; 0 in images of before */
	__u32 reserved;
	char path[NAME_MAX_BYTES + 1]; /* as the rule gives it, or "any" */
};

struct policy_page {
	union {
		__u32 cell[PAGE_CELLS];
		struct policy_header header;
		struct scope scope;
		struct binary_entry binary[BINARIES_PER_PAGE];
		struct rule_record rule[RULES_PER_PAGE];
		struct name_record name;
	};
};

/* What a policy is asked: may this binary, run by this user, accept on this port? */
struct request {
	__u32 binary;   /* a number without BINARY_UNNAMED, or BINARY_ANY */
	__u32 uid;      /* effective */
	__u32 protocol; /* enum protocol: the listener's class */
	__u32 port;
	__u64 now;      /* ns of CLOCK_BOOTTIME; 0: no temporary rule is to be looked at */
	__u32 anyone;   /* 1: what holds for a user whom no rule names; uid is of no account */
	__u32 reserved;
};

_Static_assert(sizeof(struct policy_header) <= 256, "the header is one page");
_Static_assert(sizeof(struct binary_entry) == 128, "2 binary entries a page");
_Static_assert(sizeof(struct rule_label) == 64, "copied as eight words");
_Static_assert(sizeof(struct rule_record) == 128, "2 rules a page");
_Static_assert(sizeof(struct name_record) == 256, "1 name a page");
_Static_assert(sizeof(struct policy_page) == 256, "256-byte pages");

#endif
