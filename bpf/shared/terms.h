/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The terms that all other headers use: binaries as numbers, verdicts, modes, protocols.
 */
#ifndef SOCKACCEPT_SHARED_TERMS_H
#define SOCKACCEPT_SHARED_TERMS_H

#include <linux/types.h>

/*
 * A binary is a number.
 *
 *   0                 `any` in a rule; in a request, a caller without an executable (a kernel thread)
 *   1, 2, 3, ...      a named binary: a directory entry that a rule names. User space gives each number once, and never again until
 *                     `unload`
 *   BINARY_UNNAMED|n  every other executable: the hook gives it a number when it first sees the file
 *
 * Example: rules name /usr/sbin/nginx and /usr/sbin/sshd, which get 1 and 2. /usr/bin/nc, which no rule names, gets 0x80000000 when
 * it first calls accept(2), and the next unnamed file 0x80000001.
 */
#define BINARY_ANY 0
#define BINARY_UNNAMED 0x80000000U
#define MAX_BINARIES 131072           /* numbers of named binaries, 0 included */
#define MAX_RULES 131072              /* rules of one policy */
#define RULE_COUNTERS (2 * MAX_RULES) /* twice: a `load` needs new counters while the old ones are still in use */

enum verdict {
	VERDICT_ALLOW,
	VERDICT_DENY,
	VERDICTS,
	VERDICT_LISTEN = VERDICTS, /* only of a rule: its binary may listen there for others. Such a rule decides no accept(2) */
};

enum mode {
	MODE_ENFORCE,    /* what is denied fails with EPERM */
	MODE_PERMISSIVE, /* decides and records the same, and lets it pass */
	MODES,
};

/* The protocol that a rule names, and the class of protocols that a listener belongs to. */
enum protocol {
	PROTOCOL_ANY, /* of a rule: every protocol. Of a listener: a protocol that no rule can name */
	PROTOCOL_TCP, /* TCP and MPTCP */
	PROTOCOL_SCTP,
	PROTOCOL_VSOCK,
	PROTOCOLS,
};

_Static_assert(VERDICTS == 2, "a verdict is one bit of a counter's key, and is masked to one bit as an index");
_Static_assert((PROTOCOLS & (PROTOCOLS - 1)) == 0, "protocols are masked");
_Static_assert(MAX_BINARIES < BINARY_UNNAMED, "named and unnamed binaries never share a number");

#endif
