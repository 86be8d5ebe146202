/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attaches a program by pinning its link, and detaches it by removing the pin.
 */
#include "enforce/kernel/gate.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "policy/cleanup.h"

static const struct hook {
	enum kernel_object program;
	const char *pin; /* of its link, beside the others */
} hooks[] = {
	{ PROGRAM_CONNECTION_REQUEST, "link_connection_request" },
	{ PROGRAM_ASSOCIATION_REQUEST, "link_association_request" },
};
#define HOOKS (sizeof(hooks) / sizeof(hooks[0]))

static const char *hook_path(const struct hook *hook, char path[PIN_PATH_MAX])
{
	snprintf(path, PIN_PATH_MAX, "%s/%s", pins_directory(), hook->pin);
	return path;
}

static bool is_attached(const struct hook *hook)
{
	char path[PIN_PATH_MAX];

	return !access(hook_path(hook, path), F_OK);
}

bool gate_is_attached(void)
{
	bool attached = true;

	for (size_t i = 0; i < HOOKS; i++)
		attached &= is_attached(&hooks[i]);
	return attached;
}

static int attach(const struct kernel *kernel, const struct hook *hook)
{
	_cleanup_close_ int link = bpf_raw_tracepoint_open(NULL, kernel->fd[hook->program]);
	char path[PIN_PATH_MAX];

	if (link < 0)
		return -errno;
	return bpf_obj_pin(link, hook_path(hook, path)) ? -errno : 0;
}

static int detach(const struct hook *hook)
{
	char path[PIN_PATH_MAX];

	return unlink(hook_path(hook, path)) && errno != ENOENT ? -errno : 0;
}

int gate_attach(const struct kernel *kernel, bool wanted)
{
	int error = 0;

	for (size_t i = 0; i < HOOKS && !error; i++) {
		if (!wanted)
			error = detach(&hooks[i]);
		else if (!is_attached(&hooks[i]))
			error = attach(kernel, &hooks[i]);
	}
	return error;
}
