/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the cgroups that the hook saw to system units.
 */
#include "enforce/records/unit.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>

/* Those that can have processes (systemd.unit(5), but for slices, which don't come here). Others made no unit. */
static const char *const suffixes[] = { ".service", ".scope", ".socket", ".mount", ".swap" };

static bool is_unit(const char *name)
{
	const char *suffix = strrchr(name, '.');

	for (size_t i = 0; suffix && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (!strcmp(suffix, suffixes[i]))
			return true;
	return false;
}

const char *unit_name(const struct kernel *kernel, uint64_t cgroup, char *name)
{
	struct unit unit;

	if (!cgroup || bpf_map_lookup_elem(kernel->fd[MAP_UNITS], &cgroup, &unit))
		return NULL;
	unit.name[sizeof(unit.name) - 1] = '\0';
	/* systemd puts a `_` before what would look like a file of the kernel's (cg_escape). */
	snprintf(name, sizeof(unit.name), "%s", unit.name + (unit.name[0] == '_'));
	return is_unit(name) ? name : NULL;
}
