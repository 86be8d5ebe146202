/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Capabilities: what a verb needs, and dropping all else before it reads anything.
 */
#ifndef SOCKACCEPT_PRIVILEGES_H
#define SOCKACCEPT_PRIVILEGES_H

#include "enforce/status.h"

enum privilege {
	PRIVILEGE_NONE,   /* nothing at all */
	PRIVILEGE_FILES,  /* nothing, but reads any file if it may: CAP_DAC_READ_SEARCH */
	PRIVILEGE_READ,   /* opens pinned objects: CAP_BPF */
	PRIVILEGE_CHANGE, /* the same, and looks up paths: CAP_DAC_READ_SEARCH more */
	PRIVILEGE_PROCESS, /* the same, and looks at other processes: CAP_SYS_PTRACE more */
	PRIVILEGE_ATTACH, /* loads programs too: CAP_PERFMON more */
};

/*
 * Drops every capability that `privilege` doesn't have use for, for good. `verb` is for messages. Returns
 * STATUS_DONE, or says what is missing and returns STATUS_NOT_PERMITTED.
 */
enum status privileges_limit(enum privilege privilege, const char *verb);

#endif
