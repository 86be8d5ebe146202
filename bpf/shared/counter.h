/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel side and user space share: every map's key and value, the policy image, the event.
 *
 * Included by BPF programs (clang -target bpf), by user space and by unit tests. Fixed-width types
 * only, no implicit padding; the assertions make both compilers agree.
 *
 * The maps, as pinned under SOCKACCEPT_PIN_DIR:
 *
 *   name              key                    value                 who writes
 *   policy            u32 slot               the policy image      user space, by replacing it whole
 *   superblocks       u64 address            struct superblock     identify_files; sb_free_security removes
 *   entries           struct entry_key       u32 binary, or step   user space
 *   executables       inode (storage)        struct executable     the hook
 *   processes         task (storage)         struct process        the hook; user space for who takes over
 *   listened          sock (storage)         struct listened       the hook, and list_listeners
 *   gates             sock (storage)         struct gate           the hook   (bpf/gate.bpf.h; not pinned,
 *   drainers          task (storage)         struct drainer        `drain`     nor is this: bpf/drain.bpf.h)
 *   drain_calls       (ring buffer)          u64 0                 the hook, and refused requests
 *   binary_paths      struct path_key        struct path_chunk     user space
 *   seen_paths        u32 binary             struct kept_path      the hook
 *   units             u64 cgroup             struct unit           the hook
 *   calls             u32 place              struct call           the hook   (bpf/call.bpf.h; not pinned,
 *   other_calls       task (storage)         struct call           the hook    nor is this)
 *   folds             struct fold_key        struct fold           the hook, and close_windows (bpf/fold.bpf.h)
 *   shares            u32 user               struct share          the same
 *   control           u32 0                  struct control        user space, and the hook
 *   state             u32 0                  struct state          the hook; a few words by user space
 *   rule_counters     u32 rule_record.counter  struct rule_counter the hook
 *   ports             u32 group              struct port_group     the hook; places are reserved by user space
 *   other_ports       u32 binary             struct binary_counter the hook
 *   events            u32 slot               struct event          the hook
 */
#ifndef SOCKACCEPT_H
#define SOCKACCEPT_H

#include <linux/types.h>

/* Changes with any change of this file that an older or newer program would misread. */
#define SOCKACCEPT_LAYOUT 13

/* Of policy images alone, which outlive an upgrade as long as this is the same. */
#define IMAGE_LAYOUT 1

#define SOCKACCEPT_PIN_DIR "/sys/fs/bpf/sockaccept"

/*
 * A binary is a number. 0 stands for `any`, and for a caller without an executable (a kernel thread).
 * A directory entry that a rule names has a number from 1 on, given once and never given again until
 * `unload`. Every other executable gets a number with BINARY_UNNAMED set when the hook first sees it.
 */
#define BINARY_ANY 0
#define BINARY_UNNAMED 0x80000000U
#define MAX_BINARIES 131072 /* numbers of named binaries, 0 included */
#define MAX_RULES 131072    /* rules of one policy */
#define RULE_COUNTERS (2 * MAX_RULES) /* a `load` needs fresh ones beside those in use */

enum verdict {
	VERDICT_ALLOW,
	VERDICT_DENY,
	VERDICTS,
	VERDICT_LISTEN = VERDICTS, /* of a rule alone: its binary may listen there for others. It decides about no accept */
};

enum mode {
	MODE_ENFORCE,
	MODE_PERMISSIVE,
	MODES,
};

/* The protocol of a rule, and the class of protocols that a listener belongs to. */
enum protocol {
	PROTOCOL_ANY, /* as a rule: every protocol. As a listener: one that no rule can name */
	PROTOCOL_TCP, /* MPTCP too */
	PROTOCOL_SCTP,
	PROTOCOL_VSOCK,
	PROTOCOLS,
};

/* Why a decision is what it is. */
enum reason {
	REASON_DEFAULT,
	REASON_RULE,
	REASON_PRCTL, /* no decision about accept(2), but a prctl(2) that would forge an identity: event.operation */
	REASON_MOVED, /* nor this: a listen(2) by which a socket that has listened before would listen on another port */
	REASONS,
};

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

/* ---------------------------------------------------------------------------------------------
 * Identity: which directory entry is a binary
 *
 * A superblock (a mounted file system) gets a number when user space first asks about a file on it, never given again
 * until `unload`; the map `superblocks` finds it by its address, and forgets it before the address can be used again.
 *
 * Where a file system's own numbers are unique and never used again for as long as it is mounted, a directory is
 * known by them: {superblock, subvolume, inode, generation}, and a rule's entry is {directory, file name}.
 *
 * Elsewhere (overlayfs, 9p, squashfs, ...) a directory is known by the names that lead to it from the
 * file system's root. The entry is then found in steps, from the file's name upwards; struct directory has the
 * step in place of the inode number:
 *
 *   /usr/sbin/nginx on overlayfs:   {superblock, step 0}  "nginx" -> step 5
 *                                   {superblock, step 5}  "sbin"  -> step 6
 *                                   {superblock, step 6}  "usr"   -> step 7
 *                                   {superblock, step 7}  ""      -> binary 3: the empty name is the root
 *
 * A path that leads nowhere has an entry under superblock 0, which there is none of, with the whole path as its name: so the
 * rules that wait for it have the same number each time. No file is ever found to be that entry.
 */

struct superblock {
	__u64 root; /* address of s_root: one more proof that it is the same, if the hook was off when one went */
	__u32 number;
	__u32 reserved;
};

/* Identifies a directory; computed by directory_of() in bpf/identity.bpf.h alone, never from stat(2). */
struct directory {
	__u32 superblock;
	__u32 generation;
	__u64 subvolume; /* btrfs, whose subvolumes share a superblock and repeat inode numbers; else 0 */
	__u64 inode;     /* or the step */
};

struct entry_key {
	struct directory directory;
	char name[256]; /* zero-padded */
};
#define MAX_ENTRIES (2 * MAX_BINARIES) /* steps included */
#define MAX_STEPS 64 /* directories above a file, where they are known by their names */
#define MAX_SUPERBLOCKS 4096

enum file_flag {
	FILE_BY_NAMES = 1 << 0, /* FILE_STEP records follow, from the directory upwards, then a FILE_ROOT record */
	FILE_STEP = 1 << 1,
	FILE_ROOT = 1 << 2,
	FILE_IN_USER_NAMESPACE = 1 << 3, /* whoever mounted it can make up any name on it */
	FILE_ON_FUSE = 1 << 4,           /* as can the file system's server */
	FILE_NO_SUBVOLUME = 1 << 5,      /* on btrfs, and control.btrfs isn't set */
	FILE_NO_SUPERBLOCK = 1 << 6,     /* there is no room for a further one */
	FILE_FOLDS_CASE = 1 << 7,        /* so that a name has many spellings */
	FILE_MOVING = 1 << 8,            /* it is being renamed right now */
	FILE_UNLINKED = 1 << 9,          /* the name by which it was opened is gone */
	FILE_IS_DIRECTORY = 1 << 10,
};

/*
 * Record that the iterator `identify_files` writes for each open file of the process it is attached to: which
 * directory it is, or which it is in and its name there.
 */
struct file_identity {
	__u32 fd;
	__u32 flags;  /* enum file_flag */
	__u32 binary; /* the number of the entry that it is; 0: no rule has named it */
	__u32 reserved;
	struct directory directory;
	char name[256]; /* of a FILE_STEP: the directory's name */
	__u64 dentry;   /* its address, for comparison with that of a struct executable only */
};

/* Record that the iterator `list_processes` writes for each process with a struct process. */
struct process_identity {
	__u32 pid;
	__u32 binary; /* 0: nothing that a rule has named */
};

/*
 * The last look-up of a file's name. It holds for an executable with the same dentry and name while no entry is added. Whoever
 * changes it makes `sequence` odd first, and even after.
 */
struct lookup {
	__u64 sequence;
	__u64 dentry; /* its address */
	__u64 name;   /* name_stamp() in bpf/identity.bpf.h */
	__u64 epoch;  /* control.entries_epoch before the look-up */
	__u64 entry;  /* the number found, or 0: no rule has named it */
};

/*
 * What the processes are that execute a file, kept on its inode for as long as that is in memory, and so at least for as long
 * as one of them runs. Nearly every file is executed by one name alone; where there are several, each further process has a
 * struct process, which comes first.
 */
struct executable {
	__u64 dentry; /* by which it was executed first since the policy came: its address; 0: it wasn't. Set last */
	__u64 claimed; /* 1: somebody sets the others */
	__u64 epoch;  /* control.entries_epoch when it was executed last so */
	__u64 binary; /* the entry that it was then; 0: none. What was none becomes one when a rule names it, and stays that */
	__u32 many;    /* 1: it was also executed otherwise */
	__u32 unnamed; /* its number where it is no named binary, with BINARY_UNNAMED; 0: none yet */
	struct lookup lookup;
};

/* What a process is, kept with the first of its threads; children inherit it, and executing again makes an end of it. */
struct process {
	__u64 dentry; /* of its executable: an address. The record holds for that alone */
	__u64 epoch;  /* control.entries_epoch when it was executed */
	__u32 binary; /* the entry that it was then; 0: none */
	__u32 known;  /* 0: there is nothing here */
};

/* What a socket listens on, kept with it from its first listen(2) on. */
struct listened {
	__u32 port; /* 0: the kernel was to choose one */
	__u32 class;
};

/* The path of a named binary, as resolved when its rule was made, in chunks; the last one is zero-padded. */
struct path_key {
	__u32 binary;
	__u32 chunk;
};
struct path_chunk {
	char bytes[256];
};

#define PATH_ROOM 260
struct seen_path {
	__u32 length;  /* 0: not known, as with a path of PATH_ROOM bytes or more */
	char path[PATH_ROOM];
};

/* The path of an unnamed binary, which holds while its own name is this. */
struct kept_path {
	__u64 name; /* name_stamp() in bpf/identity.bpf.h */
	struct seen_path path;
};

/* The name of the cgroup of a system unit: of the outermost that is no slice. */
struct unit {
	char name[256];
};

/* ---------------------------------------------------------------------------------------------
 * Counters. All are changed by atomic adds only.
 */
struct tally {
	__u64 decisions;
	__u64 connections; /* of them; the others are attempts, or wait for a connection just now */
};

struct rule_counter {
	__u64 hits; /* decisions, connections and attempts alike */
	__u64 last; /* when the last of them was, give or take a tick: ns of CLOCK_BOOTTIME */
	__u64 tick; /* of jiffies, when that was set */
};

/*
 * Counters by (binary, port, verdict): a hash table of our own (bpf/shared/port_table.h), as a look-up in the kernel's
 * costs an accept() 197 instructions, and in this one some 60. A key is never removed. Binaries that rules name have the
 * first NAMED_PORT_GROUPS groups for themselves, so that those that anybody can make by copying a file take no
 * room from them.
 */
#define PORT_GROUP_SLOTS 4
struct port_group {
	__u64 key[PORT_GROUP_SLOTS]; /* port_key(); 0: free */
	struct tally tally[PORT_GROUP_SLOTS];
};
#define NAMED_PORT_GROUPS 32768 /* powers of two */
#define UNNAMED_PORT_GROUPS 2048

/* What found no place there, by binary; under BINARY_ANY that of all without a name, and of kernel threads. */
struct binary_counter {
	struct tally verdict[VERDICTS];
};

/*
 * Buffers of events: one for each verdict, so that accepted connections can't push out denials. Both are in one map, the
 * buffer of verdict v from slot v * slots on.
 */
struct buffer_state {
	__u64 tickets; /* slots asked for; ticket t stands for slot t % slots */
	__u64 made;    /* events made: each has a number below this */
	__u64 lost;    /* denials and connections in no event, as there was no slot or no memory */
};

/* Where btrfs keeps a file's subvolume, in bytes; btrfs is a module, so that CO-RE can't know when we are loaded. */
struct btrfs_layout {
	__u32 inode;     /* btrfs_inode.vfs_inode */
	__u32 root;      /* btrfs_inode.root */
	__u32 objectid;  /* btrfs_root.root_key.objectid */
	__u32 known;     /* 0: the others aren't set */
};

/*
 * Where the waiting connections of a listener are whose protocol is a module, in bytes, for the same reason. If `known`
 * is 0, the others aren't set.
 */
struct sctp_layout {
	__u32 endpoint;    /* sctp_sock.ep */
	__u32 queue;       /* sctp_endpoint.asocs, a list */
	__u32 link;        /* sctp_association.asocs, its member */
	__u32 owner;       /* sctp_association.ep */
	__u32 peer_port;   /* sctp_association.peer.port */
	__u32 peer;        /* sctp_association.peer.primary_addr */
	__u32 socket;      /* sctp_association.base.sk */
	__u32 known;
};

struct vsock_layout {
	__u32 queue; /* vsock_sock.accept_queue, the list of a listener, and its member of one that waits */
	__u32 known;
};

/*
 * Policies on trial. Slot 0 of `policy` has the policy that was loaded last, slot 1 what was in force before it, under a
 * generation of its own. Which of both decides is one word, control.trial, exchanged where both sides could change it:
 *
 *   0                          slot 0
 *   TRIAL_PENDING | deadline   slot 0 until then (ns of CLOCK_BOOTTIME). The first decision after it exchanges the word for
 *                              TRIAL_OVER; `confirm` exchanges it for 0. One of them wins
 *   TRIAL_OVER                 slot 1. The next command that changes something moves it to slot 0, and the word to 0
 */
#define SLOT_LOADED 0
#define SLOT_BEFORE 1
#define POLICY_SLOTS 2
#define TRIAL_PENDING (1ULL << 63)
#define TRIAL_OVER 1ULL

/*
 * What decisions depend on beside the policy. Apart from `state`, which tells how things are and may be read by whoever
 * may read: once the policy is locked, nobody opens this.
 */
struct control {
	__u64 trial;         /* user space and the hook: as above. The first word in every version, for who takes over */
	__u64 next_binary;   /* user space, under its lock: the next number for an entry */
	__u64 next_step;     /* user space, under its lock */
	__u64 entries_epoch; /* user space: next_binary, once its entry is there */
	struct btrfs_layout btrfs; /* user space, before the first rule on btrfs */
	struct sctp_layout sctp;   /* user space, when it finds the module loaded */
	struct vsock_layout vsock; /* user space, likewise */
	__u64 next_superblock; /* from 0: the number before the next */
	__u64 next_unnamed;
	/*
	 * User space: SO_COOKIE of a listener of `doctor`'s own, whose accepts are neither counted nor recorded; 0: none. They
	 * are refused; or, with SELF_TEST_DECIDE, decided, of which the hook leaves SELF_TEST_DECIDED | verdict here. As no two
	 * sockets ever have the same cookie, one that was left here is nobody's.
	 */
	__u64 self_test;
	__u64 processes; /* 1: there is a struct process */
	__u64 drainer;       /* the task that may take out what waits on denied listeners: its address; 0: none (bpf/drain.bpf.h) */
	__u64 drainer_until; /* ns of CLOCK_BOOTTIME */
	__u64 locked;        /* user space: 1: no task may become that any more */
};
#define SELF_TEST_DECIDE (1ULL << 63)
#define SELF_TEST_DECIDED (1ULL << 62)

struct state {
	__u64 layout;        /* SOCKACCEPT_LAYOUT; set once. The first word in every version, and the next one is the second */
	__u64 last_good;     /* user space: 1: in force is what a boot fell back to, as the files were invalid */
	struct tally decisions[VERDICTS];
	__u64 unmediated;
	__u64 refused_earlier; /* calls that an earlier LSM had refused: returned unchanged */
	__u64 forgeries;       /* calls of prctl(2) that would forge an identity */
	__u64 failed;          /* accepts that failed when they had taken a connection from the queue */
	__u64 moves;           /* calls of listen(2) on a socket that was moved to another port */
	__u64 listens;         /* calls of listen(2) that the policy denies */
	__u64 sweeps;          /* of the calls whose end wasn't seen (bpf/settle.bpf.h) */
	__u64 swept;           /* when the last of them was: ns of CLOCK_BOOTTIME */
	__u64 other_calls;     /* accepts under way that found their place in `calls` taken */
	__u64 changes;         /* user space: how often the policy in force was changed */
	__u64 gates;           /* 0: no listener is gated under the policy in force. Counts up with each gate that is shut */
	__u64 gated;           /* requests for a new connection that a gate has refused */
	__u64 drained;         /* connections that were taken out of the queue of a denied listener */
	__u64 drained_until;   /* somebody says that he drains what is asked for until then: ns of CLOCK_BOOTTIME */
	__u64 next_seq;        /* one row of numbers for the events of both buffers */
	struct buffer_state buffer[VERDICTS];
};

/* ---------------------------------------------------------------------------------------------
 * Events
 *
 * A writer takes a ticket t, claims slot t % slots by exchanging its `state`, fills it, and publishes
 * it with the state EVENT_READY(t). If the slot is still being written by a writer one lap behind, it
 * leaves t in `skipped` and takes another ticket. A reader copies a slot and believes the copy if the
 * state was the same EVENT_READY(t) before and after.
 */
#define DEFAULT_EVENTS 16384 /* in each buffer; a power of two */
#define MIN_EVENTS 64
#define MAX_EVENTS 1048576
#define EVENT_READY(ticket) (((ticket) + 1) << 1)
#define EVENT_WRITING(ticket) (((ticket) + 1) << 1 | 1)

struct endpoint {
	__u8 address[16]; /* network order; of IPv4, only the first four count; of VSOCK too: the context id, host order */
	__u32 port;       /* host order */
};

enum event_flag {
	EVENT_ENFORCED = 1 << 0,  /* the verdict was returned to the caller (not permissive) */
	EVENT_HAS_PEER = 1 << 1,
	EVENT_PATH_HINT = 1 << 2, /* path is only what the process itself would see */
};

/* What the repeats that a folded event stands for don't have in common, field by field. The event has a value of one of them. */
enum event_difference {
	DIFFER_GENERATION = 1 << 0, /* and so reason, rule and `enforced` are of different policies */
	DIFFER_CGROUP = 1 << 1,
	DIFFER_UNIT = 1 << 2,
	DIFFER_PID = 1 << 3,
	DIFFER_TID = 1 << 4,
	DIFFER_UID = 1 << 5,
	DIFFER_GID = 1 << 6,
	DIFFER_NETNS = 1 << 7,
	DIFFER_SOCKFD = 1 << 8,
	DIFFER_BINARY = 1 << 9,
	DIFFER_BACKLOG = 1 << 10,
	DIFFER_BACKLOG_MAX = 1 << 11,
	DIFFER_FAMILY = 1 << 12,
	DIFFER_PROTOCOL = 1 << 13,
	DIFFER_OPERATION = 1 << 14,
	DIFFER_RULE = 1 << 15,      /* and reason */
	DIFFER_ENFORCED = 1 << 16,
	DIFFER_ADDRESS = 1 << 17,   /* of `local` */
	DIFFER_PORT = 1 << 18,      /* of `local`, and listener_port */
	DIFFER_PEER = 1 << 19,
	DIFFER_COMM = 1 << 20,
	DIFFER_ALL = (1 << 21) - 1,
};

enum operation {
	OPERATION_ACCEPT,
	OPERATION_ATTEMPT, /* a denied accept(2) for which no connection waited */
	OPERATION_LISTEN,  /* a denied listen(2), or a bind(2) before it; sockfd is its argument */
	OPERATION_GATED,   /* a request for a new connection of a denied listener. Who: whose accept(2) was denied last there */
	OPERATION_DRAINED, /* a connection that was taken out of the queue of a denied listener, and reset. Who: as above, or who holds it */
	OPERATION_SET_MM_MAP,      /* prctl(PR_SET_MM, PR_SET_MM_MAP) */
	OPERATION_SET_MM_EXE_FILE, /* prctl(PR_SET_MM, PR_SET_MM_EXE_FILE) */
	OPERATIONS,
};

struct event {
	__u64 state;
	__u64 skipped; /* 1 + the last ticket that found this slot in use */
	__u64 seq;
	__u64 number;    /* in its buffer, from 0, without gaps */
	__u64 time_boot; /* ns of CLOCK_BOOTTIME */
	__u64 time_tai;  /* ns of CLOCK_TAI */
	__u64 generation;
	__u64 cgroup_id;
	__u64 unit; /* key in `units`; 0: none */
	__u32 pid;
	__u32 tid;
	__u32 uid; /* effective */
	__u32 gid; /* effective */
	__u32 netns;
	__s32 sockfd; /* -1: the call has none */
	__u32 binary;
	__u32 backlog;
	__u32 backlog_max;
	__u32 count; /* denials that it stands for */
	__u16 family;   /* AF_* */
	__u16 protocol; /* IPPROTO_*; 0 for AF_VSOCK */
	__u8 verdict;   /* enum verdict */
	__u8 reason;    /* enum reason */
	__u8 flags;     /* enum event_flag */
	__u8 operation; /* enum operation; of a prctl(), the listener's fields are 0 */
	struct endpoint local; /* the connection's own end; of a denial, the listener's */
	struct endpoint peer; /* if EVENT_HAS_PEER */
	__u32 listener_port; /* which rules are about: with TPROXY, for one, local.port is another */
	__u32 differ;        /* enum event_difference; 0: it stands for one denial, or for repeats that are all alike */
	char comm[16];
	struct rule_label rule; /* if reason is REASON_RULE */
	struct seen_path path;  /* if binary is unnamed */
};

/* Record that the iterator `list_listeners` writes for each listening socket that a process has open. */
struct listening {
	__u64 socket; /* an address, for comparison only */
	__u32 pid;    /* of the process */
	__u32 uid;    /* its effective one */
	__u32 netns;
	__u16 class;     /* enum protocol */
	__u16 processes; /* 1: its process has a struct process */
	__u16 family;
	__u16 protocol;
	__u32 backlog;
	__u32 backlog_max;
	struct endpoint local;
	__u32 binary; /* what the process is by a struct process; 0: nothing that a rule has named, or it has none */
	__u32 fd;     /* by which the process has it open */
	__u64 cookie; /* SO_COOKIE */
	__u32 gate;   /* enum gate_state */
	__u32 gid;    /* the process's effective one */
	char comm[16];
};

/* What an accept(2) on a listener, under the policy in force, has come to. */
enum gate_state {
	GATE_UNKNOWN, /* there was none */
	GATE_OPEN,    /* one was allowed */
	GATE_SHUT,    /* one was denied, and none was allowed. If POLICY_GATES is set, new requests are refused */
};

/* What the guard guards (bpf/guard.bpf.c), by the kernel's ids, which are never given again while the object is there. */
enum guarded_kind {
	GUARDED_MAP,
	GUARDED_PROGRAM,
	GUARDED_HOOK, /* by the BTF id of what LSM programs are attached to */
};

enum guarded_level {
	GUARDED_NOT,
	GUARDED_FROM_WRITING, /* may be opened for reading */
	GUARDED_WHOLLY,
};

struct guarded_key {
	__u32 kind;
	__u32 id;
};

struct refusals {
	__u64 count;
};

enum mount_flag {
	MOUNT_IS_MACHINES = 1 << 0, /* of the mount namespace of process 1 */
	MOUNT_HAS_ROOT = 1 << 1,    /* at most PIN_MOUNTS_MAX mounts are above it */
};
#define PIN_MOUNTS_MAX 32

/* Record that the guard's iterator `list_mounts` writes for each open file of the process it is attached to. */
struct mount_identity {
	__u32 fd;
	__u32 flags;   /* enum mount_flag */
	__u64 address; /* of its mount */
};

/* Which denials are folded together (bpf/fold.bpf.h). */
struct fold_key {
	__u64 generation;
	__u32 uid;
	__u32 binary;
	__u32 port;
	__u32 what; /* operation, and from bit 8 on the class of the listener: each protocol can have a rule of its own */
};
#define FOLD_OTHERS 0xffffffffU /* for whatever has no entry of its own; a uid that nobody has */

/* What one user can make of events and folds (bpf/fold.bpf.h). */
struct share {
	__u64 next;   /* when events at the rate of the user's share would be as many as there were: ns of CLOCK_BOOTTIME */
	__u64 looked; /* when it was last looked for folds that aren't needed any more */
	__u64 folds;  /* how many the user has */
};

/*
 * What `drain` is asked for: that its caller's next calls of accept(2) take out what waits on listeners, on which the policy in force
 * denies this binary and user. How it is recorded who had them, if no accept(2) was denied there.
 */
struct draining {
	__u64 promise; /* that somebody drains what is asked for, for so long: ns; 0: none is made */
	__u64 lasts;   /* that the caller may do so: ns; 0: it may not any more */
	__u64 opens;   /* 1: its calls take nothing out, and fail, but open the gates of the listeners */
	__u64 may;     /* answer. 0: it may not: another one does, there is no memory, or the policy is locked */
	__u64 locked;  /* answer. 1: that is why */
	__u32 binary;
	__u32 uid;
	__u32 gid;
	__u32 pid;
	char comm[16];
	struct seen_path path; /* if binary is unnamed */
};

/* What `close_windows` is asked for, and answers. */
struct closing {
	__u64 age;  /* also windows that aren't over, if they are so old: ns; 0: none of them */
	__u64 left; /* connections of calls that may still be under way: ask again in a moment */
};

_Static_assert(sizeof(struct policy_header) <= 256, "the header is one page");
_Static_assert(sizeof(struct binary_entry) == 128, "2 binary entries a page");
_Static_assert(sizeof(struct rule_label) == 64, "copied as eight words");
_Static_assert(sizeof(struct rule_record) == 128, "2 rules a page");
_Static_assert(sizeof(struct name_record) == 256, "1 name a page");
_Static_assert(sizeof(struct policy_page) == 256, "256-byte pages");
_Static_assert(sizeof(struct directory) == 24, "no padding");
_Static_assert(sizeof(struct entry_key) == 280, "no padding: it is hashed");
_Static_assert(sizeof(struct file_identity) == 304, "no padding");
_Static_assert(sizeof(struct lookup) == 40, "no padding");
_Static_assert(sizeof(struct executable) == 80, "no padding");
_Static_assert(sizeof(struct process) == 24, "no padding");
_Static_assert(sizeof(struct kept_path) == 272, "no padding");
_Static_assert(sizeof(struct rule_counter) == 24, "no padding");
_Static_assert(sizeof(struct port_group) == 96, "no padding");
_Static_assert(sizeof(struct endpoint) == 20, "no padding");
_Static_assert(sizeof(struct event) == 512, "an event slot is eight cache lines");
_Static_assert(sizeof(struct listening) == 96, "no padding");
_Static_assert(sizeof(struct fold_key) == 24, "no padding: it is hashed");
_Static_assert(sizeof(struct control) == 144, "no padding");
_Static_assert(sizeof(struct state) == 216, "no padding");

#endif
