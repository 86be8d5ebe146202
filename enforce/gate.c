/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/gate.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "policy/cleanup.h"

#define GATE_PIN "link_connection_request"

static const char *pin_path(char path[PIN_PATH_MAX])
{
	snprintf(path, PIN_PATH_MAX, "%s/%s", kernel_pin_directory(), GATE_PIN);
	return path;
}

bool gate_is_attached(void)
{
	char path[PIN_PATH_MAX];

	return !access(pin_path(path), F_OK);
}

int gate_attach(const struct kernel *kernel, bool wanted)
{
	char path[PIN_PATH_MAX];
	_cleanup_close_ int link = -1;

	pin_path(path);
	if (!wanted)
		return unlink(path) && errno != ENOENT ? -errno : 0;
	if (gate_is_attached())
		return 0;
	link = bpf_raw_tracepoint_open(NULL, kernel->fd[PROGRAM_CONNECTION_REQUEST]);
	if (link < 0)
		return -errno;
	return bpf_obj_pin(link, path) ? -errno : 0;
}
