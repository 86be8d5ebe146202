/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * save: writes the live policy as a policy file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "enforce/base/replace.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/live.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/resolve.h"

/* Refuses what can't be replaced as a whole. Sets *mode: a file keeps its mode, and a new one gets that of other policies. */
static enum status check_file(const char *path, mode_t *mode)
{
	struct stat st;

	*mode = 0644;
	if (lstat(path, &st))
		return STATUS_DONE;
	*mode = st.st_mode & 07777;
	if (S_ISREG(st.st_mode))
		return STATUS_DONE;
	return fail(STATUS_FAILED, "%s is %s, which can't be replaced as a whole; name a regular file, or none for standard output", path,
		    file_kind(st.st_mode));
}

static enum status write_text(const char *path, const char *text, size_t length)
{
	mode_t mode;
	int error;

	if (!path) {
		fputs(text, stdout);
		return STATUS_DONE;
	}
	TRY(check_file(path, &mode));
	error = replace_file(path, text, length, mode, true);
	if (error == -EACCES || error == -EPERM)
		return fail(STATUS_FAILED,
			    "%s can't be written: %s. Nothing was changed; name a file in a directory of root's, or none for "
			    "standard output",
			    path, strerror(-error));
	return error ? fail(STATUS_FAILED, "%s can't be written: %s. Nothing was changed", path, strerror(-error)) : STATUS_DONE;
}

static void warn_of_temporaries(const struct policy *policy)
{
	size_t temporaries = policy_temporaries(policy);

	if (temporaries)
		warn("%zu temporary rule%s not in it, as no file has them", temporaries, temporaries == 1 ? " is" : "s are");
}

enum status verb_save(const struct invocation *invocation)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	_cleanup_policy_ struct policy policy = POLICY_INIT;
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	int error = 0;

	TRY(kernel_open(&kernel, false, false));
	TRY(live_read_image(&kernel, &policy));
	policy.events = kernel_events(&kernel) ?: policy.events;
	text = ini_text(&policy, "", &length, &error);
	if (error)
		return fail(STATUS_FAILED, "the live policy can't be written as a file: %s", strerror(-error));
	TRY(write_text(invocation->arguments[0], text, length));
	warn_of_temporaries(&policy);
	return STATUS_DONE;
}
