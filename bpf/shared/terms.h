/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words that all of it speaks: binaries as numbers, verdicts, modes, protocols.
 */
#ifndef SOCKACCEPT_SHARED_TERMS_H
#define SOCKACCEPT_SHARED_TERMS_H

#include <linux/types.h>

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

#endif
