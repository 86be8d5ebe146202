/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeps only the capabilities that a verb needs, by libcap.
 */
#include "enforce/base/privileges.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MOST 4

/* The capabilities that each privilege keeps. */
static const struct {
	cap_value_t keep[MOST];
	int count;
	int needed; /* how many of them, from the first, it can't do without; the others are kept if they are there */
} privileges[] = {
	[PRIVILEGE_NONE] = { .count = 0 },
	[PRIVILEGE_FILES] = { { CAP_DAC_READ_SEARCH }, 1, 0 },
	[PRIVILEGE_PINS] = { { CAP_BPF }, 1, 1 },
	[PRIVILEGE_PATHS] = { { CAP_BPF, CAP_DAC_READ_SEARCH }, 2, 1 },
	[PRIVILEGE_PROCESSES] = { { CAP_BPF, CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE }, 3, 1 },
	[PRIVILEGE_PROGRAMS] = { { CAP_BPF, CAP_PERFMON, CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE }, 4, 2 },
	[PRIVILEGE_LOCK] = { { CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH }, 3, 2 },
	[PRIVILEGE_DIAGNOSE] = { { CAP_BPF, CAP_PERFMON, CAP_DAC_READ_SEARCH }, 3, 0 },
};

static bool is_permitted(cap_t caps, cap_value_t cap)
{
	cap_flag_value_t value = CAP_CLEAR;

	return !cap_get_flag(caps, cap, CAP_PERMITTED, &value) && value == CAP_SET;
}

/* Returns what the kernel accepts for `cap`: CAP_SYS_ADMIN does for CAP_BPF and CAP_PERFMON, as before these came (Linux 5.8). */
static cap_value_t stand_in(cap_t caps, cap_value_t cap)
{
	if (is_permitted(caps, cap) || (cap != CAP_BPF && cap != CAP_PERFMON))
		return cap;
	return is_permitted(caps, CAP_SYS_ADMIN) ? CAP_SYS_ADMIN : cap;
}

static enum status missing(const char *verb, cap_value_t cap)
{
	char *name = cap_to_name(cap);

	fail(STATUS_NOT_PERMITTED, "`%s` needs the capability %s; run it as root: sudo sockaccept-ctl %s", verb, name ? name : "cap_bpf",
	     verb);
	cap_free(name);
	return STATUS_NOT_PERMITTED;
}

static enum status keep_only(cap_t now, enum privilege privilege, const char *verb)
{
	cap_t kept = cap_init();
	enum status status = STATUS_DONE;

	if (!kept)
		return fail(STATUS_FAILED, "can't drop capabilities: %s", strerror(errno));
	for (int i = 0; i < privileges[privilege].count && status == STATUS_DONE; i++) {
		cap_value_t cap = stand_in(now, privileges[privilege].keep[i]);

		if (!is_permitted(now, cap)) {
			if (i < privileges[privilege].needed)
				status = missing(verb, privileges[privilege].keep[i]);
			continue;
		}
		cap_set_flag(kept, CAP_PERMITTED, 1, &cap, CAP_SET);
		cap_set_flag(kept, CAP_EFFECTIVE, 1, &cap, CAP_SET);
	}
	if (status == STATUS_DONE && cap_set_proc(kept))
		status = fail(STATUS_FAILED, "can't drop capabilities: %s", strerror(errno));
	cap_free(kept);
	return status;
}

static void add_name(char *names, size_t size, cap_value_t cap)
{
	char *name = cap_to_name(cap);
	size_t length = strlen(names);

	snprintf(names + length, size - length, "%s%s", length ? ", " : "", name ? name : "?");
	cap_free(name);
}

enum status privileges_check(void)
{
	cap_t now = cap_get_proc();
	char names[100] = "";

	if (!now)
		return fail(STATUS_FAILED, "can't read capabilities: %s", strerror(errno));
	for (int i = 0; i < privileges[PRIVILEGE_DIAGNOSE].count; i++) {
		cap_value_t cap = privileges[PRIVILEGE_DIAGNOSE].keep[i];

		if (!is_permitted(now, stand_in(now, cap)))
			add_name(names, sizeof(names), cap);
	}
	cap_free(now);
	if (!*names)
		return STATUS_DONE;
	return fail(STATUS_NOT_PERMITTED,
		    "root lacks %s here, as in a container; run it on the machine itself, or give the container "
		    "these capabilities",
		    names);
}

/* Returns true if this process has `cap`, or what the kernel accepts for it. */
static bool have(cap_value_t cap)
{
	cap_t now = cap_get_proc();
	bool may = now && is_permitted(now, stand_in(now, cap));

	if (now)
		cap_free(now);
	return may;
}

bool privileges_open_pins(void)
{
	return have(CAP_BPF);
}

bool privileges_trace(void)
{
	return have(CAP_SYS_PTRACE);
}

bool privileges_are_some(void)
{
	return geteuid() == 0 || privileges_open_pins();
}

enum status privileges_limit(enum privilege privilege, const char *verb)
{
	cap_t now = cap_get_proc();
	enum status status;

	if (!now)
		return fail(STATUS_FAILED, "can't read capabilities: %s", strerror(errno));
	status = keep_only(now, privilege, verb);
	cap_free(now);
	/* From here on only `doctor` executes a program, systemctl, which must not gain privileges by that. */
	if (status == STATUS_DONE && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		status = fail(STATUS_FAILED, "can't set no_new_privs: %s", strerror(errno));
	return status;
}
