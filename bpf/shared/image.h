/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy image: a whole policy as decisions read it (bpf/shared/decision.h).
 *
 * An image is one BPF array of 256-byte pages. User space builds it (policy/image_build.c), freezes it, and only then puts it in force
 * by one 8-byte store. BPF programs cannot write it either (BPF_F_RDONLY_PROG). So a policy never changes while a decision reads it.
 *
 * A page refers to another page by its number. Equal pages are stored once.
 *
 *   page 0            struct policy_header
 *   binaries_page...  struct binary_entry, BINARIES_PER_PAGE a page, by binary number
 *   rules_page...     struct rule_record, RULES_PER_PAGE a page: first the temporary rules, highest priority first; then all others, by
 *                     binary
 *   names_page...     struct name_record, one a page: how the rules spell their binaries
 *   all others        tables: PAGE_CELLS cells of a radix tree
 *
 * A cell is
 *
 *   0                 no rule
 *   1 + n             rule n of this binary, counted from the binary's first rule
 *   CELL_TABLE | page number of the next level's table
 *
 * Cells count from the binary's own first rule so that many tables are equal: all binaries with `allow = 80` share one.
 *
 * Example: nginx is binary 3. Its rules are numbers 7 (allow 80) and 8 (deny any), so first_rule is 7, and cells say 1 for rule 7 and 2
 * for rule 8. All its root cells are 2, except root[80 >> 12], which is CELL_TABLE|Q. All cells of page Q are 2, except
 * cell[80 >> 6 & 63], which is CELL_TABLE|R. All cells of page R are 2, except cell[80 & 63], which is 1.
 */
#ifndef SOCKACCEPT_SHARED_IMAGE_H
#define SOCKACCEPT_SHARED_IMAGE_H

#include <linux/types.h>

#include "terms.h"

/* The version of images alone. While it is the same, an image survives an upgrade of the program. */
#define IMAGE_LAYOUT 1

#define PAGE_CELLS 64
#define CELL_TABLE 0x80000000U

/* A port takes three levels: 4, 6 and 6 bits. All VSOCK ports above 65535 share one more cell of the first level. */
#define PORT_TOP_SHIFT 12
#define PORT_BEYOND_CELL 16
#define PORT_ROOT_CELLS 17
/* A user id takes six levels: 2 bits, then 5 times 6 bits. The last level's cell is CELL_TABLE | page with a struct scope. */
#define UID_TOP_SHIFT 30

#define POLICY_SOURCE_MAX 180 /* bytes */

/* Settings that are yes or no. */
enum policy_switch {
	SWITCH_JUDGE_LISTEN,
	SWITCH_GATE,
	SWITCH_DRAIN,
	SWITCHES,
};

/* The same as bits. If any is set, binary_entry.listen is filled in. */
enum policy_flag {
	POLICY_JUDGES_LISTEN = 1 << SWITCH_JUDGE_LISTEN, /* listen(2) is judged, not only accept(2) */
	POLICY_GATES = 1 << SWITCH_GATE,                 /* new connections of a denied listener are refused (bpf/gate.bpf.h) */
	POLICY_DRAINS = 1 << SWITCH_DRAIN, /* connections that wait on a denied listener are taken out and reset (enforce/change/drain.h) */
};

struct policy_header {
	__u32 layout; /* IMAGE_LAYOUT */
	__u32 pages;  /* of the whole image */
	__u64 generation;
	__u32 mode;    /* enum mode */
	__u32 verdict; /* enum verdict: the policy's default */
	__u32 binaries_page;
	__u32 binaries; /* number of entries: the highest binary number in use + 1 */
	__u32 rules_page;
	__u32 rules;
	__u32 names_page;
	__u32 names;
	/* Images of older versions have 0 in the next three: no temporary rules, and nothing known about who may listen. */
	__u32 temporaries;                  /* number of temporary rules: they come first */
	__u32 flags;                        /* enum policy_flag */
	__u64 temporaries_end;              /* when the last of them ends */
	char source[POLICY_SOURCE_MAX + 4]; /* where the policy was loaded from, zero-padded; empty: not known */
};

/* Rules that name a protocol or a user: a page of root cells for each enum protocol; 0: no such rules. */
struct scope {
	__u32 tables[PROTOCOLS];
};

/* Why a binary may listen on a port where an arbitrary user, whom no rule names, may not accept. */
enum listen_cell {
	LISTEN_FOR_SOME = 1, /* a rule lets some user accept there */
	LISTEN_FOR_OTHERS,   /* a rule with VERDICT_LISTEN says so. No rule about accept(2) overrides it */
};

struct binary_entry {
	__u32 first_rule;            /* number of its first rule that is not temporary */
	__u32 by_user;               /* page of the radix table over effective user ids; 0: none of its rules names a user */
	__u32 root[PORT_ROOT_CELLS]; /* rules without conditions. Most are, so their first level is here */
	struct scope anyone;         /* rules that name a protocol and no user */
	__u32 rules;                 /* how many it has */
	/*
	 * By the listener's protocol. The cell of a port is an enum listen_cell; 0: no reason to listen. Rules for `any` are included in
	 * the tables of every binary that has rules.
	 */
	struct scope listen;
	__u32 reserved[4];
};
#define BINARIES_PER_PAGE 2

/* (uid_t)-1, which no process has: a rule for it matches nobody. */
#define UID_NONE 0xffffffffU

/* What a rule says, as logs and `list` show it. Copied whole into an event. */
#define SECTION_MAX 49 /* bytes: how much of a section's name Debian's inih keeps */
struct rule_label {
	char section[SECTION_MAX + 3]; /* zero-padded */
	__u16 first;                   /* first port; 0: any port, those above 65535 included */
	__u16 last;                    /* last port */
	__u32 uid;                     /* if has_uid */
	__u8 verdict;                  /* enum verdict */
	__u8 protocol;                 /* enum protocol */
	__u8 has_uid;
	__u8 reserved;
};

/*
 * Which of two matching rules of one binary decides: the one with the higher rank. More conditions rank higher, then a narrower range of
 * ports, then deny.
 *
 * Example: `80` (width 1) outranks `80-89` (width 10), which outranks `any` (WIDTH_ANY); and `user = redis, allow = any` outranks
 * all three, as it has a condition.
 */
#define RANK(conditions, width, deny) ((__u32)(conditions) << 20 | (0x1ffffU - (width)) << 1 | (deny))
#define WIDTH_ANY 0x10001U /* wider than any range of 16-bit ports */

struct rule_record {
	__u32 rank;         /* RANK() */
	__u32 counter;      /* index in rule_counters */
	__u32 name;         /* index of the name_record of its binary */
	__u32 unknown_user; /* index of the name_record of its user, if the system doesn't know that name: uid is UID_NONE then. Else 0 */
	struct rule_label label;
	__u64 until;  /* when it ends; 0: it is no temporary rule */
	__u32 binary; /* only of a temporary rule */
	__u32 reserved[9];
};
#define RULES_PER_PAGE 2

/*
 * Most temporary rules that a policy can have. As each ends at its own time, a decision tries them one after the other: this bounds what
 * that costs. Temporary rules are meant for exceptions.
 */
#define MAX_TEMPORARIES 256

#define NAME_MAX_BYTES 243
enum name_flag {
	NAME_WAITS = 1 << 0, /* the path leads nowhere: no file has this number until `refresh` finds the file */
	NAME_USER = 1 << 1,  /* not a binary, but a user whom the system doesn't know. These come after all binaries */
};
struct name_record {
	__u32 binary;
	__u32 flags; /* enum name_flag; 0 in images of older versions */
	__u32 reserved;
	char path[NAME_MAX_BYTES + 1]; /* as the rule spells it, or "any" */
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

/* What a policy is asked: may this binary, run by this user, accept on this port? Not in the image. */
struct request {
	__u32 binary;   /* a named binary or BINARY_ANY, never BINARY_UNNAMED|n */
	__u32 uid;      /* effective */
	__u32 protocol; /* enum protocol: the listener's class */
	__u32 port;
	__u64 now;    /* 0: don't look at temporary rules */
	__u32 anyone; /* 1: ask for an arbitrary user whom no rule names; uid is ignored */
	__u32 reserved;
};

_Static_assert(sizeof(struct policy_header) <= 256, "the header is one page");
_Static_assert(sizeof(struct binary_entry) == 128, "2 binary entries a page");
_Static_assert(sizeof(struct rule_label) == 64, "copied as eight words");
_Static_assert(sizeof(struct rule_record) == 128, "2 rules a page");
_Static_assert(sizeof(struct name_record) == 256, "1 name a page");
_Static_assert(sizeof(struct policy_page) == 256, "256-byte pages");
_Static_assert(MAX_RULES < CELL_TABLE, "a cell tells a rule from a table");
_Static_assert(WIDTH_ANY <= 0x1ffffU, "the width has 17 bits of a rank, between the conditions and the verdict");
_Static_assert(SWITCHES <= 32, "each switch is a bit of policy_header.flags");

#endif
