/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/accept_call.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#define X32_BIT 0x40000000U

/* In the 32-bit table of x86. */
enum {
	COMPAT_SOCKETCALL = 102,
	COMPAT_ACCEPT4 = 364,
};

/* Operations of socketcall(2) (linux/net.h). */
enum {
	SOCKETCALL_ACCEPT = 5,
	SOCKETCALL_ACCEPT4 = 18,
};

bool call_parse(const char *text, struct call *call)
{
	struct call read = { .state = CALL_KNOWN };
	uint64_t *arguments = read.arguments;
	int64_t number;

	if (!strcmp(text, "running\n")) {
		*call = (struct call){ .state = CALL_RUNNING };
		return true;
	}
	switch (sscanf(text, "%" SCNi64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64, &number, &arguments[0],
		       &arguments[1], &arguments[2], &arguments[3], &arguments[4], &arguments[5])) {
	case 3: /* the stack and the instruction pointers follow */
		if (number != -1)
			return false;
		*call = (struct call){ .state = CALL_NONE };
		return true;
	case 7:
		if (number < 0 || number > UINT32_MAX)
			return false;
		read.number = (uint32_t)number;
		*call = read;
		return true;
	default: return false;
	}
}

static bool is_native_accept(uint32_t number)
{
	return number == SYS_accept || number == SYS_accept4;
}

#ifdef __x86_64__
static enum accept_kind compat_kind(const struct call *call, int *fd, uint64_t *address)
{
	uint32_t what = (uint32_t)call->arguments[0];

	if (call->number == COMPAT_ACCEPT4) {
		*fd = (int)call->arguments[0];
		return ACCEPT_BY_NUMBER;
	}
	if (call->number == COMPAT_SOCKETCALL && (what == SOCKETCALL_ACCEPT || what == SOCKETCALL_ACCEPT4)) {
		*address = (uint32_t)call->arguments[1];
		return ACCEPT_BY_MEMORY;
	}
	return ACCEPT_NOT;
}
#else
static enum accept_kind compat_kind(const struct call *call, int *fd, uint64_t *address)
{
	(void)call;
	(void)fd;
	(void)address;
	return ACCEPT_NOT;
}
#endif

enum accept_kind accept_call_kind(const struct call *call, int *fd, uint64_t *address)
{
	if (call->state != CALL_KNOWN)
		return ACCEPT_NOT;
	if (!is_native_accept(call->number & ~X32_BIT))
		return compat_kind(call, fd, address);
	*fd = (int)call->arguments[0];
	return ACCEPT_BY_NUMBER;
}

bool accept_call_lost_restart(bool compat, int64_t number, int64_t result)
{
	uint32_t low = (uint32_t)number;

	/* Only the lower halves count in a 32-bit call. */
	if ((int32_t)result != -EINTR || (!compat && result != -EINTR))
		return false;
	return compat ? low == COMPAT_ACCEPT4 || low == COMPAT_SOCKETCALL : is_native_accept(low & ~X32_BIT);
}
