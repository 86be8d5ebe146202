/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/last_good.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enforce/base/replace.h"
#include "enforce/base/status.h"
#include "enforce/change/diagnostics_print.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/resolve.h"
#include "policy/source.h"

#define HEAD                                                                                                                  \
	"; The last policy that was loaded from " DEFAULT_POLICY_BASE ". sockaccept-ctl keeps it for boots whose files are\n" \
	"; invalid: changes are lost.\n"
#define TRIAL_FILE LAST_GOOD_FILE ".trial"

static bool is_kept(const char *file, const char *text, size_t length)
{
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_free_ char *there = malloc(length + 1);

	return fd >= 0 && there && read(fd, there, length + 1) == (ssize_t)length && !memcmp(there, text, length);
}

static void keep(const struct policy *policy, const char *file)
{
	size_t length = 0;
	int error;
	_cleanup_free_ char *text = ini_text(policy, HEAD, &length, &error);

	if (text && is_kept(file, text, length))
		return;
	if (!error && mkdir(STATE_DIR, 0700) && errno != EEXIST)
		error = -errno;
	if (!error)
		error = replace_file(file, text, length, 0600, true);
	if (error)
		warn("can't keep the policy as " LAST_GOOD_FILE ", for boots whose policy is invalid: %s", strerror(-error));
}

void last_good_forget_trial(void)
{
	unlink(TRIAL_FILE);
}

void last_good_keep(const struct policy *policy, bool on_trial)
{
	if (policy)
		keep(policy, on_trial ? TRIAL_FILE : LAST_GOOD_FILE);
}

void last_good_confirm(void)
{
	if (rename(TRIAL_FILE, LAST_GOOD_FILE) && errno != ENOENT)
		warn("can't keep the policy as " LAST_GOOD_FILE ", for boots whose policy is invalid: %s", strerror(errno));
}

bool last_good_read(struct policy *policy)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics = { 0 };

	if (access(LAST_GOOD_FILE, F_OK) && errno == ENOENT)
		return false;
	source_read(LAST_GOOD_FILE, READ_AT_BOOT, policy, &diagnostics);
	if (!diagnostics.errors)
		resolve_policy(policy, READ_AT_BOOT, &diagnostics);
	diagnostics_print(&diagnostics);
	return !diagnostics.errors;
}
