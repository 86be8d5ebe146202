/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Capabilities: what a verb needs, and dropping all else before it reads anything.
 */
#ifndef SOCKACCEPT_PRIVILEGES_H
#define SOCKACCEPT_PRIVILEGES_H

#include <stdbool.h>

#include "enforce/base/status.h"

/*
 * Named for what it lets a verb do. From PRIVILEGE_PINS to PRIVILEGE_PROGRAMS, each has what the one before it has too. CAP_BPF and
 * CAP_PERFMON must be there; the others are kept if they are.
 */
enum privilege {
	PRIVILEGE_NONE,      /* nothing */
	PRIVILEGE_FILES,     /* nothing; reads any file if it may: CAP_DAC_READ_SEARCH */
	PRIVILEGE_PINS,      /* opens pinned objects: CAP_BPF */
	PRIVILEGE_PATHS,     /* and looks up any path: CAP_DAC_READ_SEARCH */
	PRIVILEGE_PROCESSES, /* and looks at other processes: CAP_SYS_PTRACE */
	PRIVILEGE_PROGRAMS,  /* and loads programs: CAP_PERFMON */
	PRIVILEGE_LOCK,      /* looks at all BPF programs and at other processes: CAP_SYS_ADMIN and CAP_SYS_PTRACE must be there */
	PRIVILEGE_DIAGNOSE,  /* what loading a policy takes, of which anything may be missing */
};

/*
 * Drops every capability that `privilege` doesn't have use for, for good. `verb` is for messages. Returns
 * STATUS_DONE, or says what is missing and returns STATUS_NOT_PERMITTED.
 */
enum status privileges_limit(enum privilege privilege, const char *verb);

/*
 * Says which capabilities this process lacks of those that loading a policy takes, and returns STATUS_NOT_PERMITTED; or
 * STATUS_DONE: none.
 */
enum status privileges_check(void);

/* True if this process may open pinned objects. */
bool privileges_open_pins(void);

/* True if this process may look at others, and trace them. */
bool privileges_trace(void);

/* True if this process is root's, or can open pinned objects: others have no business here. */
bool privileges_are_some(void);

#endif
